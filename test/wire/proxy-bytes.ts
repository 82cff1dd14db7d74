/** What load balancers send, byte for byte. */

export const v1 = (words: string): Buffer => Buffer.from(`PROXY ${words}\r\n`, 'latin1');

export const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** `block`: addresses, ports and remarks, one character per byte. */
export function v2(command: number, family: number, block: string): Buffer {
  const length = [block.length >> 8, block.length & 255];
  return Buffer.concat([
    ...[signature, Buffer.from([command, family, ...length]), Buffer.from(block, 'latin1')],
  ]);
}

/** 192.0.2.7 port 56324 to 198.51.100.1 port 25. */
export const tcp4 = v2(0x21, 0x11, '\xc0\0\x02\x07\xc6\x33\x64\x01\xdc\x04\0\x19');
