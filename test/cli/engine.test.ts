/** The operator's commands against a real engine: they ask it, and it obeys. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeEngine, type Engine } from '../support/engine.ts';
import { handIn, idIn } from '../support/smtp-talk.ts';
import { jsonLines } from './run.ts';

let engine: Engine;
let id: string;
beforeAll(async () => {
  // Nobody listens at port 1: the letter waits.
  engine = await makeEngine({ control: { smtproutes: 'nowhere.test:127.0.0.1:1\n' } });
  await engine.start();
  const to = ['ann@nowhere.test'];
  id = idIn(
    await handIn(engine.port, {
      from: 'joe@demo.test',
      to,
      body: 'Subject: hello\r\n\r\nhello\r\n',
    }),
  );
  await untilTried(1);
});
afterAll(() => engine.remove());

const queue = async () => jsonLines((await engine.waybill('queue', '--json')).stdout);

/** Until the letter waits again after so many attempts. */
async function untilTried(attempts: number): Promise<void> {
  for (;;) {
    const [row] = await queue();
    if (row?.['status'] !== 'attempting' && (row?.['attempts'] as number) >= attempts) return;
  }
}

const why = async () => jsonLines((await engine.waybill('why', '--json', id)).stdout)[0]!;

describe('while an engine runs', () => {
  it('the queue is read beside it', async () => {
    expect(await queue()).toMatchObject([
      { message: id, address: 'ann@nowhere.test', status: 'waiting' },
    ]);
    expect(await why()).toMatchObject({
      waitsFor: 'clock',
      route: { lines: [{ file: 'smtproutes', line: 1, text: 'nowhere.test:127.0.0.1:1' }] },
    });
  });

  it('it holds, retries, releases and cancels as told', async () => {
    expect(await engine.waybill('hold', id, '--by', 'ann', '--why', 'odd')).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(await why()).toMatchObject({ waitsFor: 'operator', held: { by: 'ann', why: 'odd' } });
    expect((await engine.waybill('retry', id)).stdout).toContain('release it, too');
    expect((await engine.waybill('release', id)).code).toBe(0);
    await untilTried(2);
    expect((await engine.waybill('retry', '--all')).code).toBe(0);
    await untilTried(3);
    expect((await engine.waybill('cancel', id)).stdout).toBe(`${id}: 1 recipient cancelled\n`);
    expect(await queue()).toEqual([]);
    expect(await why()).toMatchObject({ status: 'cancelled', waitsFor: 'nothing' });
    expect((await engine.waybill('verify')).code).toBe(0);
  });

  it('and after it stopped, all can still be asked', async () => {
    await engine.stop();
    const types = jsonLines((await engine.waybill('trace', '--json', id)).stdout).map(
      ({ type }) => type,
    );
    expect(types.filter((type) => type === 'AttemptStarted')).toHaveLength(3);
    expect(types.slice(-2)).toEqual(['RecipientCancelled', 'MessageCleanedUp']);
    expect(jsonLines((await engine.waybill('verify', '--json')).stdout)).toMatchObject([
      { ok: true, checkpoint: { state: 'same' } },
    ]);
  });
});
