/**
 * A few settings of `waybill.toml`, for programs that are called a thousand times: as they stand there or
 * in the environment, else the default. The whole table, which knows what each may be, takes twice as
 * long to load as such a program runs; `waybill check` and the engine look at it.
 */
import { join, resolve } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { ControlMistake } from '../mail/trouble.ts';
import { readOperatorsFile } from './operators-file.ts';

export type Environment = { readonly [name: string]: string | undefined };

type Word = string | number | readonly string[];
type Widened<W> = W extends string ? string : W extends number ? number : readonly string[];

/** The defaults of `config-table.ts` that programs need; a test compares the two. */
export const defaultWords = {
  listen: { smtp: ['127.0.0.1:2525'], smtps: [], submission: [] },
  log: { engine: 'sqlite', min_free_mib: 64 },
  local: { users: 'users/assign' },
  remote: { tls: 'opportunistic' },
  users: {
    door: 'waybill-door',
    queue: 'waybill-queue',
    remote: 'waybill-remote',
    alias: 'alias',
  },
} as const;

type Sections = typeof defaultWords;

/** One section. Errors: `ControlMistake`, for what is no TOML or of another kind than the default. */
export function readWords<S extends keyof Sections>(
  section: S,
  { dir, env }: { readonly dir: string; readonly env: Environment },
): { readonly [K in keyof Sections[S]]: Widened<Sections[S][K]> } {
  const file = join(dir, 'waybill.toml');
  const written = tableOf(file)[section] ?? {};
  const words = Object.entries<Word>(defaultWords[section]).map(([key, usual]) => {
    const name = `WAYBILL_${section}_${key}`.toUpperCase();
    const said = env[name];
    if (said !== undefined) return [key, fromText(said, usual, name)];
    const value = (written as Record<string, unknown>)[key] ?? usual;
    if (kindOf(value) !== kindOf(usual)) throw odd(file, `${section}.${key}`);
    return [key, value];
  });
  return Object.fromEntries(words) as never;
}

/** Where `users/assign` is. */
export const assignFileOf = (places: { readonly dir: string; readonly env: Environment }): string =>
  resolve(places.dir, readWords('local', places).users);

function tableOf(file: string): Record<string, unknown> {
  const bytes = readOperatorsFile(file);
  if (bytes === undefined) return {};
  try {
    return parseToml(bytes.toString('utf8'));
  } catch {
    throw odd(file, 'it');
  }
}

function fromText(said: string, usual: Word, name: string): Word {
  if (typeof usual === 'string') return said;
  if (typeof usual !== 'number') return said.split(',').map((item) => item.trim());
  if (!/^[0-9]+$/.test(said)) throw odd(name, 'it');
  return Number(said);
}

const kindOf = (value: unknown): string => (Array.isArray(value) ? 'list' : typeof value);

const odd = (place: string, what: string): ControlMistake =>
  new ControlMistake(place, undefined, `${what} is not understood: see waybill check`);
