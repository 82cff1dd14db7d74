/**
 * The desk's one password, kept as a scrypt hash (RFC 7914) in one line:
 * `scrypt ln=15,r=8,p=1 <salt> <hash>`, both in base64url.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** 32 MiB and some 60 ms a try: enough to make guessing from a stolen file dear. */
const cost = { ln: 15, r: 8, p: 1 } as const;
const hashBytes = 32;

/** What a file may ask of us: no line of it takes more than 256 MiB. */
const most = { ln: 18, r: 8, p: 4 } as const;

/** Shorter ones are guessed; longer than the other is not read. */
export const passwordLength = { least: 8, most: 1_000 } as const;

export type PasswordHash = {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
};

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, { ...cost, salt });
  const { ln, r, p } = cost;
  return `scrypt ln=${ln},r=${r},p=${p} ${salt.toString('base64url')} ${hash.toString('base64url')}`;
}

const line = /^scrypt ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2}) ([\w-]{16,64}) ([\w-]{43})$/;

/** `undefined` for what is no such line. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const match = line.exec(text.trim());
  if (match === null) return undefined;
  const [ln, r, p] = match.slice(1, 4).map(Number) as [number, number, number];
  if (ln < 10 || ln > most.ln || r < 1 || r > most.r || p < 1 || p > most.p) return undefined;
  const [salt, hash] = match.slice(4).map((part) => Buffer.from(part, 'base64url'));
  return { ln, r, p, salt: salt!, hash: hash! };
}

export async function isPassword(password: string, wanted: PasswordHash): Promise<boolean> {
  if (password.length > passwordLength.most) return false;
  return timingSafeEqual(await derive(password, wanted), wanted.hash);
}

function derive(password: string, { ln, r, p, salt }: Omit<PasswordHash, 'hash'>): Promise<Buffer> {
  const options = { N: 2 ** ln, r, p, maxmem: 2 * 128 * r * 2 ** ln };
  return new Promise((resolve, reject) => {
    // One person types it on several machines: the same letters must be the same bytes (RFC 8265).
    scrypt(password.normalize('NFC'), salt, hashBytes, options, (cause, key) => {
      if (cause === null) resolve(key);
      else reject(cause);
    });
  });
}
