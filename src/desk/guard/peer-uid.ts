/**
 * Whose program is at the other end of a loopback connection, in the kernel's words: its socket's line in
 * `/proc/net/tcp` names the owner. Linux only; elsewhere nobody is known.
 */
import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';

export type Connection = {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
};

/** `undefined`: nobody can tell. Only a connection that stands counts: one that is closing is nobody's, which the kernel writes as root's. */
export function peerUid(
  { remoteAddress, remotePort, localAddress, localPort }: Connection,
  read: (file: string) => string = (file) => readFileSync(file, 'latin1'),
): number | undefined {
  const peer = hexOf(remoteAddress, remotePort);
  const own = hexOf(localAddress, localPort);
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    let text: string;
    try {
      text = read(file);
    } catch {
      continue;
    }
    const uid = uidIn(text, peer, own);
    if (uid !== undefined) return uid;
  }
  return undefined;
}

/** State 01 is ESTABLISHED; the inode is 0 when no process holds the socket any more. */
function uidIn(
  text: string,
  peer: ReadonlySet<string>,
  own: ReadonlySet<string>,
): number | undefined {
  for (const line of text.split('\n').slice(1)) {
    const [, local = '', remote = '', state, , , , uid, , inode] = line.trim().split(/\s+/);
    if (state !== '01' || inode === '0' || !peer.has(local) || !own.has(remote)) continue;
    return uid !== undefined && /^\d+$/.test(uid) ? Number(uid) : undefined;
  }
  return undefined;
}

/** Address and port as the kernel may write them: each 32 bits of the address in the machine's own byte order. */
function hexOf(address: string, port: number): ReadonlySet<string> {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  const portHex = port.toString(16).toUpperCase().padStart(4, '0');
  const ipv4 = isIPv4(plain) ? plain.split('.').map(Number) : undefined;
  if (ipv4 !== undefined) {
    const word = wordHex(ipv4);
    return new Set([
      `${word}:${portHex}`,
      `0000000000000000${wordHex([0, 0, 255, 255])}${word}:${portHex}`,
    ]);
  }
  // Of IPv6 only the loopback is asked for.
  return new Set([`${'0'.repeat(24)}${wordHex([0, 0, 0, 1])}:${portHex}`]);
}

function wordHex(bytes: readonly number[]): string {
  const isLittle = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
  const ordered = isLittle ? [...bytes].reverse() : bytes;
  return Buffer.from(ordered).toString('hex').toUpperCase();
}
