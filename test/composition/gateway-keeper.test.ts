/** Guessing at the gateway: as slow as at the desk's page, whoever else knows the password. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { gatewayKeeper } from '../../src/composition/gateway-keeper.ts';
import type { Doorkeeper } from '../../src/gateway/doorkeeper.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { hashPassword } from '../../src/platform/password-hash.ts';

const here = { address: '192.0.2.25', port: 2113 };
const right = 'correct horse';
const hash = hashPassword(right);

let keeper: Doorkeeper;
let line: string | undefined;
beforeEach(async () => {
  const logger = { warn: () => undefined };
  const parts = { ownUid: -1, clock: new ManualClock(), logger };
  line = await hash;
  keeper = gatewayKeeper({ ...parts, password: () => line });
});

const says = (password: string, address: string, port = 1): Promise<boolean | number> =>
  keeper({ here, peer: { address, port }, login: { name: 'me', passwords: [password] } });

async function guess(address: string, port = 1): Promise<void> {
  for (let n = 0; n < 5; n += 1) expect(await says(`wrong ${n}`, address, port)).toBe(false);
}

describe('whoever knew the password of the gateway', () => {
  it('does not know it any more when another is set, nor when there is none', async () => {
    expect(await says(right, '192.0.2.1')).toBe(true);
    line = await hashPassword('another horse');
    expect(await says(right, '192.0.2.1')).toBe(false);
    expect(await says('another horse', '192.0.2.1')).toBe(true);
    line = undefined;
    expect(await says('another horse', '192.0.2.1')).toBe(false);
  });
});

describe('who guesses passwords at the gateway', () => {
  it('keeps nobody out who guesses from somewhere else, nor who knows it', async () => {
    expect(await says(right, '192.0.2.1')).toBe(true);
    for (let n = 0; n < 70; n += 1) await says(`wrong ${n}`, `2001:db8::${n.toString(16)}`);
    expect(await says(right, '2001:db8:0:1::1')).toBe(true);
    expect(await says(right, '192.0.2.1', 9)).toBe(true);
  });

  it('is not told the right one while he must wait, though others have used it', async () => {
    expect(await says(right, '192.0.2.1')).toBe(true);
    await guess('192.0.2.9');
    expect(await says('wrong 6', '192.0.2.9')).toBeGreaterThan(0);
    expect(await says(right, '192.0.2.9')).toEqual(expect.any(Number));
    expect(await says(right, '192.0.2.1', 2)).toBe(true);
  });

  it('does not get further from the address of somebody who knows it, nor keeps him out', async () => {
    expect(await says(right, '192.0.2.1', 1)).toBe(true);
    await guess('192.0.2.1', 2);
    expect(await says(right, '192.0.2.1', 2)).toEqual(expect.any(Number));
    expect(await says(right, '192.0.2.1', 1)).toBe(true);
  });
});
