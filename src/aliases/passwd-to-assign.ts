/**
 * `users/assign` from the machine's accounts: what qmail-pw2u prints. Pure but for the question who owns a
 * home. Texts are byte strings.
 *
 *     include, exclude   a user name a line: only these, not these
 *     mailnames          user:name:name:…    other names than the user's own
 *     subusers           sub:user:prefix:    an address of its own for part of a user's extensions
 *     append             lines for the end, as they are
 */
import { asciiLower } from '../mail/address.ts';
import { trimBlanksEnd } from '../mail/trim-blanks.ts';

export type AccountTables = {
  /** The texts of the files; absent: there is no such file. */
  readonly include?: string;
  readonly exclude?: string;
  readonly mailnames?: string;
  readonly subusers?: string;
  readonly append?: string;
};

export type PasswdOptions = {
  /** `owned`: without a home, or with one that is not the user's, no mail. `must-exist`: one without is a mistake. */
  readonly homes: 'owned' | 'must-exist' | 'unchecked';
  readonly allowUpperCase: boolean;
  /** What begins an extension; `''`: there are none. */
  readonly breakCharacter: string;
  /** What stands between `.qmail` and the extension. */
  readonly dash: '-' | '-/';
};

/** The uid of a directory's owner; `undefined`: there is none. Throws what else the system says. */
export type OwnerOfHome = (home: string) => number | undefined;

/** No table can be made of this; what was printed until then has no final dot and is refused by qmail-newu. */
export class PasswdMistake extends Error {}

type User = { readonly name: string; readonly fields: string };

/** The lines of an assign file, the final dot included. */
export function* passwdToAssign(
  passwd: string,
  tables: AccountTables,
  options: PasswdOptions,
  ownerOf: OwnerOfHome,
): Generator<string> {
  const names = keyed(tables.mailnames);
  // As in a control file: case does not matter, the last one of a name counts.
  const users = new Map<string, string>();
  for (const user of usersIn(passwd, tables, options, ownerOf)) {
    users.set(asciiLower(user.name), user.fields);
    yield* linesFor(user, names, options);
  }
  if (!users.has('alias')) throw new PasswdMistake('unable to find alias user');
  yield* subusers(tables.subusers ?? '', users, options);
  if (tables.append !== undefined) yield tables.append;
  yield '.\n';
}

function* usersIn(
  passwd: string,
  tables: AccountTables,
  { homes, allowUpperCase }: PasswdOptions,
  ownerOf: OwnerOfHome,
): Generator<User> {
  const include = tables.include === undefined ? undefined : new Set(listed(tables.include));
  const exclude = new Set(listed(tables.exclude ?? ''));
  for (const line of passwd.split('\n')) {
    const fields = line.split(':');
    if (fields.length < 7 || line.includes('\0')) continue;
    const [name = '', , uid = '', gid = '', , home = ''] = fields;
    const number = Number.parseInt(uid, 10);
    if (!(number > 0) || (!allowUpperCase && /[A-Z]/.test(name))) continue;
    const key = asciiLower(name);
    if ((include !== undefined && !include.has(key)) || exclude.has(key)) continue;
    if (homes !== 'unchecked' && !isOwned(home, number, homes, ownerOf)) continue;
    yield { name, fields: `${name}:${uid}:${gid}:${home}` };
  }
}

function isOwned(
  home: string,
  uid: number,
  homes: 'owned' | 'must-exist',
  ownerOf: OwnerOfHome,
): boolean {
  const owner = ownerOf(home);
  if (owner === undefined && homes === 'must-exist') {
    throw new PasswdMistake(`unable to stat ${home}`);
  }
  return owner === uid;
}

function* linesFor(
  { name, fields }: User,
  mailnames: ReadonlyMap<string, string>,
  { breakCharacter, dash }: PasswdOptions,
): Generator<string> {
  if (name === 'alias') yield `+:${fields}:${dash}::\n`;
  const names = mailnames.get(asciiLower(name))?.split(':') ?? [name];
  for (const mailname of names.filter((each) => each !== '')) {
    yield `=${mailname}:${fields}:::\n`;
    if (breakCharacter !== '') yield `+${mailname}${breakCharacter}:${fields}:${dash}::\n`;
  }
}

/** A line without its last colon is none, but its user must be there. */
function* subusers(
  text: string,
  users: ReadonlyMap<string, string>,
  { breakCharacter, dash }: PasswdOptions,
): Generator<string> {
  for (const line of text.split('\n')) {
    const [sub = '', user = '', prefix, ...rest] = line.split(':');
    if (prefix === undefined || line.startsWith('#')) continue;
    const fields = users.get(asciiLower(user));
    if (fields === undefined) {
      throw new PasswdMistake(`unable to find ${user} user for subuser`);
    }
    if (rest.length === 0) continue;
    yield `=${sub}:${fields}:${dash}:${prefix}:\n`;
    if (breakCharacter !== '') yield `+${sub}${breakCharacter}:${fields}:${dash}:${prefix}-:\n`;
  }
}

/** As control files are read (qmail's list reader), and compared: case does not matter. */
const lines = (text: string): readonly string[] =>
  text
    .split('\n')
    .map(trimBlanksEnd)
    .filter((line) => line !== '' && !line.startsWith('#'));

const listed = (text: string): readonly string[] => lines(text).map(asciiLower);

/** Key before the first colon; the last line of a key counts. */
const keyed = (text = ''): ReadonlyMap<string, string> =>
  new Map(
    lines(text).flatMap((line): (readonly [string, string])[] => {
      const colon = line.indexOf(':');
      return colon < 0 ? [] : [[asciiLower(line.slice(0, colon)), line.slice(colon + 1)]];
    }),
  );
