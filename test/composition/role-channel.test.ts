/** What a role may write to `start`, whoever has broken into it. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { duplexPair } from 'node:stream';
import {
  Lines,
  mostOfARole,
  openRoleChannel,
  tooLong,
} from '../../src/composition/roles/role-channel.ts';
import { turnOfTheLoop } from '../support/faulty-log.ts';

const settle = async () => {
  for (let turns = 0; turns < 10; turns += 1) await turnOfTheLoop();
};

/** `start`'s end of a channel, and the role's bare stream. */
function channel() {
  const [here, role] = duplexPair();
  const heard: unknown[] = [];
  const troubles: string[] = [];
  let ended = false;
  const start = openRoleChannel(here, {
    ...{ mostBytes: mostOfARole, onEnd: () => (ended = true) },
    hear: (message) => heard.push(message),
    onTrouble: ({ message }) => troubles.push(message),
  });
  return { start, role, heard, troubles, ended: () => ended };
}

describe('the process that keeps the roles', () => {
  it('outlives what a role that was broken into says, and hears what it says then', async () => {
    const { role, heard, troubles } = channel();
    for (const line of ['no JSON', '{"cmd":"NODE_HANDLE"', '"\\', 'null', '7', '{"type":"ready"}'])
      role.write(`${line}\n`);
    await settle();
    expect(heard).toEqual([{ type: 'ready' }]);
    expect(troubles).toEqual(Array.from({ length: 5 }, () => 'no JSON'));
  });

  it('cuts a line that never ends, says so once, and goes on with the next', async () => {
    const { role, heard, troubles } = channel();
    for (let mebibytes = 0; mebibytes < 40; mebibytes += 1) {
      role.write(Buffer.alloc(1024 * 1024, 'x'));
      await turnOfTheLoop();
    }
    role.write('\n{"type":"ready"}\n');
    await settle();
    expect([heard, troubles]).toEqual([[{ type: 'ready' }], ['a line without an end']]);
  });

  it('holds no more of a line than a message may have', () => {
    const lines = new Lines(1_000);
    let most = 0;
    const told: unknown[] = [];
    for (let pieces = 0; pieces < 5_000; pieces += 1) {
      told.push(...lines.push(Buffer.alloc(7, 'x')));
      most = Math.max(most, lines.held);
    }
    expect(most).toBeLessThanOrEqual(1_000);
    expect(told).toEqual([tooLong]);
  });

  it('hears that a role is gone', async () => {
    const { start, role, ended } = channel();
    role.end();
    await settle();
    expect([ended(), start.isOpen]).toEqual([true, false]);
    start.send({ type: 'stop', why: 'too late' });
  });
});

it('a message arrives however its bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
      (texts, cuts) => {
        const messages = texts.map((text) => JSON.stringify({ text }));
        const bytes = Buffer.from(messages.map((line) => `${line}\n`).join(''));
        const lines = new Lines(1_000);
        const heard: unknown[] = [];
        for (let at = 0, no = 0; at < bytes.length; no += 1) {
          const length = cuts[no % cuts.length]!;
          heard.push(...lines.push(bytes.subarray(at, at + length)));
          at += length;
        }
        expect(heard).toEqual(messages);
      },
    ),
  );
});
