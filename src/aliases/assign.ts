/**
 * `users/assign`: which local parts belong to which user (qmail-users, qmail-newu, qmail-lspawn).
 *
 *     =local:user:uid:gid:home:dash:ext:    this local part and no other
 *     +start:user:uid:gid:home:dash:pre:    all that begin with `start`; the extension is `pre` + rest
 *     .                                     the end; what follows is not read
 *
 * Two things more than qmail knows: an empty uid and gid mean the user the engine runs as, and a home
 * without `/` in front lies in the data directory (and is made when first needed).
 */
import { asciiLower } from '../mail/address.ts';
import { ControlMistake } from '../mail/trouble.ts';

/** One line's right-hand side. `home` is as written: absolute, or relative to the data directory. */
export type Assignment = {
  readonly user: string;
  /** The line, for the record: `users/assign:3 +joe-`. */
  readonly by?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly home: string;
  readonly dash: string;
  readonly ext: string;
};

export type Assignments = {
  /** By lower-cased local part. */
  readonly simple: ReadonlyMap<string, Assignment>;
  /** By lower-cased start. */
  readonly wildcard: ReadonlyMap<string, Assignment>;
  /** The last characters of all wildcards, not lower-cased (see `lookUp`). */
  readonly finals: ReadonlySet<string>;
  /** Numbers of the lines that can never match: an earlier line has their key, or see `lookUp`. */
  readonly idle: readonly number[];
};

/** Linux keeps the last one for "no user". */
const largestId = 2 ** 32 - 2;

/** Reads the file's text. Throws `ControlMistake` with the line where it does not obey the format. */
export function parseAssign(text: string, file = 'users/assign'): Assignments {
  const simple = new Map<string, Assignment>();
  const wildcard = new Map<string, Assignment>();
  const finals = new Set<string>();
  const idle: number[] = [];
  const starts: { start: string; line: number }[] = [];
  for (const [index, line] of linesBeforeDot(text, file).entries()) {
    const mistake = (what: string) => new ControlMistake(file, index + 1, what);
    const { start, assignment: said } = parseLine(line, mistake);
    const by = `users/assign:${index + 1} ${line.slice(0, start.length + 1)}`;
    const assignment = { ...said, by };
    const table = line.startsWith('+') ? wildcard : simple;
    const key = asciiLower(start);
    // As in the cdb that qmail-newu makes: the first record of a key is the one found.
    if (table.has(key)) idle.push(index + 1);
    else table.set(key, assignment);
    if (table === simple) continue;
    finals.add(start.slice(-1));
    starts.push({ start: key, line: index + 1 });
  }
  const dead = starts.filter(({ start }) => start !== '' && !finals.has(start.slice(-1)));
  idle.push(...dead.map(({ line }) => line).filter((line) => !idle.includes(line)));
  return { simple, wildcard, finals, idle: idle.sort((a, b) => a - b) };
}

function linesBeforeDot(text: string, file: string): string[] {
  const lines = text.split('\n');
  const dot = lines.findIndex((line) => line.startsWith('.'));
  if (dot >= 0) return lines.slice(0, dot);
  const last = lines.at(-1) === '' ? lines.length - 1 : lines.length;
  throw new ControlMistake(file, Math.max(1, last), 'no line with a dot at the end: cut short?');
}

type Mistake = (what: string) => ControlMistake;

/** `=key:user:uid:gid:home:dash:ext:`; any other first character counts as `=`; the rest is ignored. */
function parseLine(line: string, mistake: Mistake): { start: string; assignment: Assignment } {
  if (line === '') throw mistake('blank line before the final dot');
  if (line.includes('\0')) throw mistake('NUL byte');
  const fields = line.split(':');
  if (fields[0] === '') throw mistake('nothing before the first colon');
  if (fields.length < 8) {
    throw mistake(
      `${fields.length - 1} colons where 7 are needed (is the one at the end missing?)`,
    );
  }
  const [key = '', user = '', uid = '', gid = '', home = '', dash = '', ext = ''] = fields;
  const assignment = {
    user,
    ...parseId('uid', uid, mistake),
    ...parseId('gid', gid, mistake),
    home: checkHome(home, mistake),
    dash,
    ext,
  };
  if ((uid === '') !== (gid === '')) throw mistake('uid and gid: give both or neither');
  return { start: key.slice(1), assignment };
}

function parseId<Name extends string>(
  name: Name,
  digits: string,
  mistake: Mistake,
): { [N in Name]?: number } {
  if (digits === '') return {};
  const id = /^\d{1,10}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!(id <= largestId)) throw mistake(`${name} is not a number of a user or group`);
  return { [name]: id } as { [N in Name]: number };
}

function checkHome(home: string, mistake: Mistake): string {
  if (home === '') throw mistake('no home directory');
  // A managed home is made on demand, so it must not be able to leave the data directory.
  if (!home.startsWith('/') && home.split('/').some((part) => part === '..' || part === '.')) {
    throw mistake('a home in the data directory cannot go through . or ..');
  }
  return home;
}

/**
 * Finds the line for a local part: the simple one first, then the longest wildcard (qmail-lspawn nughde_get).
 * Case of A to Z is ignored, except in the rest that becomes part of the extension.
 *
 * qmail's quirk, kept: it looks up only those starts whose last character ends some wildcard as
 * written, so `+FOO:` alone never matches while `+foo:` does. `idle` lists such lines.
 */
export function lookUp(
  { simple, wildcard, finals }: Assignments,
  local: string,
): Assignment | undefined {
  const key = asciiLower(local);
  const exact = simple.get(key);
  if (exact !== undefined) return exact;
  for (let length = key.length; length >= 0; length -= 1) {
    if (length > 0 && !finals.has(key.charAt(length - 1))) continue;
    const found = wildcard.get(key.slice(0, length));
    if (found !== undefined) return { ...found, ext: found.ext + local.slice(length) };
  }
  return undefined;
}
