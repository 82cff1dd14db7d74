/** Who is logged in where: the records of utmp(5), as glibc on Linux writes them. Pure. */

export type Login = { readonly user: string; /** `pts/0`, below /dev. */ readonly line: string };

/** A login, and not a boot, a getty or a session that has ended. */
const userProcess = 7;

/** Where type, line and user stand in a record. */
const lineAt = 8;
const userAt = 44;
const nameBytes = 32;

/** A record is 384 bytes where 32-bit programs share the file (x86, and 64-bit ARM's is 400). */
export const recordBytes = (arch: string): number => (['x64', 'ia32'].includes(arch) ? 384 : 400);

/** `size`: of a record, in bytes; half a record at the end is left out. */
export function parseUtmp(bytes: Buffer, size: number): readonly Login[] {
  const logins: Login[] = [];
  for (let at = 0; at + size <= bytes.length; at += size) {
    if (bytes.readInt16LE(at) !== userProcess) continue;
    const line = text(bytes, at + lineAt);
    // What would lead out of /dev is no terminal.
    if (!/^[\w.-]+(\/[\w.-]+)*$/.test(line) || line.split('/').includes('..')) continue;
    logins.push({ user: text(bytes, at + userAt), line });
  }
  return logins;
}

function text(bytes: Buffer, start: number): string {
  const field = bytes.subarray(start, start + nameBytes);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? nameBytes : end);
}
