import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { falseEnds } from './false-ends.ts';
import { closeDoors, openDoor } from './open-door.ts';
import type { OpenDoor } from './open-door.ts';

let refusing: OpenDoor;
let mending: OpenDoor;
beforeAll(async () => {
  refusing = await openDoor();
  mending = await openDoor({ settings: { bareNewlines: 'normalize' } });
});
afterAll(closeDoors);

const hidden = 'MAIL FROM:<evil@x.test>\r\nRCPT TO:<ann@demo.test>\r\nDATA\r\nsmuggled\r\n';

/** Sends one letter with a false end in it, cut where told, and returns all replies after 354. */
async function smuggle(door: OpenDoor, end: string, cuts: readonly number[]): Promise<string> {
  const client = await door.greeted();
  await client.ask('MAIL FROM:<front@far.test>');
  await client.ask('RCPT TO:<joe@demo.test>');
  await client.ask('DATA');
  const data = Buffer.from(`honest${end}${hidden}.\r\n`, 'latin1');
  for (const [i, from] of [0, ...cuts].entries()) {
    client.raw(data.subarray(from, cuts[i] ?? data.length));
    // A packet each.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const reply = await client.reply();
  client.raw('QUIT\r\n');
  return `${reply}\r\n${await client.rest()}`;
}

describe('a letter with another one hidden behind a false end of data', () => {
  it.each(falseEnds)('(%j) is one letter, and refused', async (end) => {
    expect(await smuggle(refusing, end, [])).toMatch(
      /\r|\n/.test(end.replaceAll('\r\n', '')) ? /^554 5\.6\.11 [^\r]*\r\n221 / : /^250 .*\r\n221 /,
    );
    expect(refusing.intake.letters.filter(({ body }) => /\r(?!\n)|(?<!\r)\n/.test(body))).toEqual(
      [],
    );
  });

  it.each(falseEnds)('(%j) is one letter with whole lines, where lines are mended', async (end) => {
    mending.intake.letters.length = 0;
    expect(await smuggle(mending, end, [])).toMatch(/^250 [^\r]*\r\n221 /);
    const body = mending.intake.onlyBody();
    expect(body).toContain('MAIL FROM:<evil@x.test>');
    expect(body).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
  });

  it('is one letter however the network cuts it', async () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...falseEnds), cuts, async (end, places) => {
        mending.intake.letters.length = 0;
        const sorted = [...places].sort((a, b) => a - b);
        expect(await smuggle(mending, end, sorted)).toMatch(/^250 [^\r]*\r\n221 /);
        expect(mending.intake.letters).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  });
});
