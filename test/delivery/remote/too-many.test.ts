/** A far side that takes only so many recipients at once (RFC 5321 §4.5.3.1.10). */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { FarSide } from '../../support/smtp-script.ts';
import { smtpScript } from '../../support/smtp-script.ts';
import { orderFor, spoken, station } from './station.ts';

const ip = '192.0.2.1';
let far: FarSide | undefined;
let here: ReturnType<typeof station> | undefined;

async function against(...scripts: readonly string[]) {
  far = await smtpScript(...scripts);
  here = station({ [ip]: far });
  return here;
}
afterEach(async () => {
  here?.channel.close();
  await far?.close();
  expect(far?.mistakes ?? []).toEqual([]);
});

const hello = 'S: 220 mx\nC: EHLO me.test\nS: 250 mx';

/** A transaction with these recipients and the answers to them; with a letter when one was taken. */
function transaction(answers: { readonly [who: string]: string }, end = '250 k'): string {
  const rcpts = Object.entries(answers).flatMap(([who, answer]) => [
    `C: RCPT TO:<${who}@b.test>`,
    `S: ${answer}`,
  ]);
  const taken = Object.values(answers).some((answer) => answer.startsWith('2'));
  const letter = taken ? ['C: DATA', 'S: 354 go', 'body', `S: ${end}`] : [];
  return ['C: MAIL FROM:<ann@a.test>', 'S: 250 ok', ...rcpts, ...letter].join('\n');
}

const toThree = () => orderFor(['a@b.test', 'b@b.test', 'c@b.test']);
const kinds = async (at: NonNullable<typeof here>) =>
  (await at.deliver(toThree())).map(({ kind }) => kind);

describe('recipients beyond what a far side takes at once', () => {
  it.each([
    ['452 without a status', '452 enough'],
    ['452 4.5.3', '452 4.5.3 too many'],
    ['the 552 of RFC 821', '552 too many'],
    ['any code with status 5.5.3', '550 5.5.3 too many'],
  ])('go in further transactions at once, over the same connection: %s', async (_, no) => {
    const at = await against(
      [
        hello,
        transaction({ a: '250 ok', b: no, c: no }),
        transaction({ b: '250 ok', c: no }),
        transaction({ c: '250 ok' }),
      ].join('\n'),
    );
    expect(await kinds(at)).toEqual(['delivered', 'delivered', 'delivered']);
    expect(far?.bodies).toHaveLength(3);
    expect(far?.connections()).toBe(1);
  });

  it('are asked for all the same, since room may come with the next transaction only', async () => {
    const at = await against(
      [
        hello,
        transaction({ a: '250 ok', b: '452 enough', c: '550 5.1.1 nobody' }),
        transaction({ b: '250 ok' }),
      ].join('\n'),
    );
    expect(await kinds(at)).toEqual(['delivered', 'delivered', 'failed']);
  });

  it('go over another connection when this one ends', async () => {
    const at = await against(
      [hello, transaction({ a: '250 ok', b: '452 enough', c: '452 enough' }), 'drop'].join('\n'),
      [hello, transaction({ b: '250 ok', c: '250 ok' })].join('\n'),
    );
    expect(await kinds(at)).toEqual(['delivered', 'delivered', 'delivered']);
    expect(far?.connections()).toBe(2);
  });
});

describe('a 452 or 552 that means something else', () => {
  it('is the last word where nobody else was taken', async () => {
    const at = await against(
      [
        hello,
        transaction({ a: '250 ok', b: '452 no', c: '552 no' }),
        transaction({ b: '452 no', c: '552 no' }),
      ].join('\n'),
    );
    expect(await kinds(at)).toEqual(['delivered', 'deferred', 'failed']);
    expect(far?.bodies).toHaveLength(1);
  });

  it.each([
    ['452 4.3.1 disk full', 'deferred'],
    ['452 4.2.2 mailbox full', 'deferred'],
    ['552 5.2.2 mailbox full', 'failed'],
  ])('is not asked again: %s', async (no, kind) => {
    const at = await against([hello, transaction({ a: '250 ok', b: no, c: '250 ok' })].join('\n'));
    expect(await kinds(at)).toEqual(['delivered', kind, 'delivered']);
  });

  it('waits for the next attempt when the letter itself was refused', async () => {
    const no = '451 4.3.0 not now';
    const at = await against(
      [hello, transaction({ a: '250 ok', b: '452 enough', c: '250 ok' }, no)].join('\n'),
    );
    const outcomes = await at.deliver(toThree());
    expect(outcomes.map(({ kind }) => kind)).toEqual(['deferred', 'deferred', 'deferred']);
    expect(spoken(outcomes[1]!)).toContain('452 enough');
  });
});

describe('a far side that takes one recipient at a time, slowly', () => {
  it('does not keep an attempt going beyond an hour: the others wait, and none fails', async () => {
    const at = await against(
      [hello, transaction({ a: '250 ok', b: '552 enough', c: '552 enough' })].join('\n'),
    );
    const delivering = at.deliver(toThree());
    at.clock.advance(3_600_001);
    expect((await delivering).map(({ kind }) => kind)).toEqual([
      'delivered',
      'deferred',
      'deferred',
    ]);
  });
});
