/** The control files as they lie in a directory. Reads, never writes. */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ControlMistake } from '../mail/trouble.ts';
import { checkCompiled } from './compiled.ts';
import { parseControls } from './controls.ts';
import type { ControlTexts, ParsedControls, Warning } from './controls.ts';
import { readOperatorsFile } from './operators-file.ts';
import { controlNames, tcpRulesFile } from './settings.ts';

export type LoadedControls = ParsedControls & {
  /** The raw texts, for `ControlsLoaded`. */
  readonly files: ControlTexts;
  /** Changes whenever a file that counts changes, comes or goes: 16 hex digits. */
  readonly digest: string;
};

/**
 * Reads every control file of a directory.
 * Errors: `ControlMistake` for what cannot be read, and as `parseControls` says. The caller refuses
 * to start, or keeps the settings it has.
 */
export function readControls(dir: string): LoadedControls {
  // Without it the first file that is needed would be named, as if only that were missing.
  if (isMissing(dir)) throw new ControlMistake(dir, undefined, 'there is no such directory');
  const files: Record<string, string> = {};
  for (const name of [...controlNames, tcpRulesFile]) {
    const bytes = readOperatorsFile(join(dir, name));
    if (bytes !== undefined) files[name] = bytes.toString('utf8');
  }
  const loaded = loadControls(files, dir);
  return { ...loaded, warnings: [...loaded.warnings, ...databaseIn(dir), ...strangersIn(dir)] };
}

/** What may not be looked into, its first file will say. */
function isMissing(dir: string): boolean {
  try {
    return statSync(dir, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** The same for texts that somebody else has read; `dir` is where they lay. */
export function loadControls(files: ControlTexts, dir: string): LoadedControls {
  const parsed = parseControls(files, dir);
  return {
    ...parsed,
    warnings: [...oddBytes(files, dir), ...parsed.warnings],
    files,
    digest: digestOf(files),
  };
}

const oddBytes = (files: ControlTexts, dir: string): readonly Warning[] =>
  Object.entries(files)
    .filter(([, text]) => text.includes('\ufffd'))
    .map(([name]) => ({
      file: join(dir, name),
      line: undefined,
      message: 'has bytes that are not UTF-8, which match nothing',
    }));

/** Names and texts, with their lengths between them, so that no two sets of files look alike. */
function digestOf(files: ControlTexts): string {
  const hash = createHash('sha256');
  for (const name of Object.keys(files).sort()) {
    const text = files[name] ?? '';
    hash.update(`${name}\0${Buffer.byteLength(text)}\0${text}`);
  }
  return hash.digest('hex').slice(0, 16);
}

const moreHostsDatabase = 'morercpthosts.cdb';

function databaseIn(dir: string): readonly Warning[] {
  const file = join(dir, moreHostsDatabase);
  const source = join(dir, 'morercpthosts');
  const found = checkCompiled({ database: file, source, compiler: 'qmail-newmrh' });
  return found.map(({ message }) => ({ file, line: undefined, message }));
}

const known: ReadonlySet<string> = new Set([...controlNames, tcpRulesFile, moreHostsDatabase]);

/** Files that nobody reads: most often a slip in the name. */
function strangersIn(dir: string): readonly Warning[] {
  const names = namesIn(dir).filter((name) => !name.startsWith('.') && !known.has(name));
  return names.sort().map((name) => ({
    file: join(dir, name),
    line: undefined,
    message: name.endsWith('.cdb')
      ? `is not read: ${name.slice(0, -'.cdb'.length)} itself is`
      : 'I have no idea what this file does',
  }));
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ControlMistake(dir, undefined, `cannot be read (${code ?? String(cause)})`);
  }
}
