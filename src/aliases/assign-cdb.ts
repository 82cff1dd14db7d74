/**
 * `users/cdb`: what qmail-newu makes of `users/assign`, and what qmail-lspawn looks up.
 *
 *     `!` + local part, lower-cased + NUL   this local part and no other
 *     `!` + start, lower-cased              all that begin with it
 *     (empty key)                           the last bytes of all starts, as they were written
 *
 * The data are user, uid, gid, home, dash and ext, with a NUL between them. Where the text was written
 * for us alone (no uid and gid, a home without `/` in front), the database says the same.
 */
import { asciiLower } from '../mail/address.ts';
import { parseAssign, type Assignment } from './assign.ts';

type TextRecord = readonly [key: string, data: string];

/**
 * The records of a text, in the order of its lines, those that can never be found as well. Text and
 * records are byte strings: one character per byte.
 * Throws `ControlMistake` with the line that does not obey the format.
 */
export function* compileAssign(text: string, file = 'users/assign'): Generator<TextRecord> {
  parseAssign(text, file);
  const finals = new Set<string>();
  for (const line of text.split('\n')) {
    if (line.startsWith('.')) break;
    const [start = '', ...fields] = line.split(':');
    const isWildcard = start.startsWith('+');
    const name = start.slice(1);
    if (isWildcard && name !== '') finals.add(name.slice(-1));
    yield [`!${asciiLower(name)}${isWildcard ? '' : '\0'}`, fields.slice(0, 6).join('\0')];
  }
  yield ['', [...finals].join('')];
}

/** The database holds something that qmail-newu does not write. */
export class AssignDamage extends Error {
  constructor(what: string) {
    super(`users/cdb: ${what}`);
    this.name = 'AssignDamage';
  }
}

/**
 * Finds a local part: the one assigned alone first, then the longest start, the empty one included
 * (qmail-lspawn nughde_get). A start is asked for only if its last byte is one of those that starts were
 * written with, so one whose last letter was a capital is never found. Throws `AssignDamage`.
 */
export function findAssigned(
  get: (key: Uint8Array) => Uint8Array | undefined,
  local: string,
): Assignment | undefined {
  const bytes = Buffer.from(local);
  const key = Buffer.from(`!${asciiLower(local)}\0`);
  const exact = get(key);
  if (exact !== undefined) return parseData(exact);
  const finals = get(new Uint8Array(0)) ?? new Uint8Array(0);
  for (let length = bytes.length; length >= 0; length -= 1) {
    // The key has one byte more in front than the local part.
    if (length > 0 && !finals.includes(key[length]!)) continue;
    const found = get(key.subarray(0, length + 1));
    if (found === undefined) continue;
    const assignment = parseData(found);
    return { ...assignment, ext: assignment.ext + bytes.toString('utf8', length) };
  }
  return undefined;
}

function parseData(data: Uint8Array): Assignment {
  const fields = Buffer.from(data).toString('utf8').split('\0');
  const [user = '', uid = '', gid = '', home = '', dash = '', ext = ''] = fields;
  if (fields.length < 6 || home === '') throw new AssignDamage('a user lacks something');
  // As in the text: a home of ours stays within the data directory.
  if (!home.startsWith('/') && home.split('/').some((part) => part === '..' || part === '.')) {
    throw new AssignDamage('a home in the data directory goes through . or ..');
  }
  return { user, ...parseId('uid', uid), ...parseId('gid', gid), home, dash, ext };
}

function parseId<Name extends string>(name: Name, digits: string): { [N in Name]?: number } {
  if (digits === '') return {};
  if (!/^\d{1,10}$/.test(digits)) throw new AssignDamage(`a ${name} is no number`);
  return { [name]: Number(digits) } as { [N in Name]: number };
}
