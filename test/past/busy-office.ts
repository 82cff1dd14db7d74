/** Mail that nobody planned, through the real queue: letters, verdicts, attempts that hang, an operator, time. */
import { NEVER, of } from 'rxjs';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { memorySpool } from '../../src/spool/memory/memory-spool.ts';
import { factsReader, queueJson, queueSummary, queueText } from '../../src/trace/queue-lines.ts';
import { firstDue } from '../../src/trace/queue-rows.ts';
import type { Snapshot } from '../../src/past/ports.ts';
import { openPostOffice, pass, settle } from '../support/post-office.ts';
import { birth } from '../support/queue-mail.ts';
import { idOf } from '../support/random-letters.ts';
import { seeded, type Chance } from '../support/seeded.ts';

/** What `waybill queue` says, as text and as JSON. */
export type Said = { readonly text: readonly string[]; readonly json: readonly string[] };

/** What was said at an instant, and which event was the last one then. */
export type Answer = Said & { readonly at: number; readonly position: number };

export async function say(log: MemoryLog, snapshot: Snapshot, limit = 1_000): Promise<Said> {
  const { agenda, now, position } = snapshot;
  const { rows, counts } = firstDue(agenda, now, limit);
  const factsOf = factsReader(log, position);
  const { owing, aside } = agenda;
  const told = { rows, owing, aside, now };
  return {
    text: [...(await all(queueText(told, factsOf))), queueSummary(counts)],
    json: await all(queueJson(told, factsOf)),
  };
}

async function all(lines: AsyncIterable<string>): Promise<string[]> {
  const collected: string[] = [];
  for await (const line of lines) collected.push(line);
  return collected;
}

const addresses = ['a@far.test', 'b@far.test', 'joe@here.test', 'ann@here.test', 'c@else.test'];

/** `steps` steps of mail; an answer is recorded before every third or so. */
export async function busyOffice(
  seed: number,
  steps: number,
): Promise<{ readonly log: MemoryLog; readonly records: readonly Answer[] }> {
  const chance = seeded(seed);
  const bodies = new Map<string, Uint8Array>();
  const log = new MemoryLog(bodies);
  const clock = new ManualClock(birth);
  const office = await openPostOffice({
    ...{ log, clock, spool: memorySpool(bodies) },
    slots: () => ({ local: 3, remote: 4 }),
    channel: {
      attempt: ({ recipients }) =>
        chance.happens(0.05)
          ? NEVER
          : of({
              outcomes: recipients.map(({ rcpt }) => ({
                ...{
                  rcpt,
                  kind: chance.one(['delivered', 'deferred', 'deferred', 'failed'] as const),
                },
                reply: { text: `Word ${rcpt}.\n`, host: 'mx.far.test' },
              })),
            }),
    },
  });
  const records: Answer[] = [];
  // Names of letters are never given twice, also not by two offices.
  let letters = 100 * seed;
  let operatorEvents = 0;
  const act = {
    async post() {
      letters += 1;
      const recipients = addresses.filter(() => chance.happens(0.4));
      await office.post(idOf(letters), chance.one(['joe@here.test', 'x@far.test', '']), recipients);
    },
    async meddle() {
      const message = idOf(100 * seed + 1 + chance.below(letters - 100 * seed));
      const name = chance.one(['retry', 'hold', 'hold', 'release', 'cancel', 'redirect'] as const);
      const more = name === 'redirect' ? { rcpts: [0], to: 'new@new.test' } : {};
      const request = { act: name, message, by: 'op', why: 'a whim', ...more };
      await office.operator.act(request).catch(() => undefined);
    },
    async retryAll() {
      const event = { type: 'RetryAllRequested', v: 1, at: clock.now(), data: { by: 'op' } };
      operatorEvents += 1;
      await log.append('node-here-1', operatorEvents - 2, [event]);
    },
  };
  for (let step = 0; step < steps; step += 1) {
    await takeStep(chance, clock, act);
    await settle(4);
    if (!chance.happens(0.3)) continue;
    const { keeper } = office;
    const [at, position] = [clock.now(), await log.head()];
    records.push({ ...{ at, position }, ...(await say(log, { ...keeper, now: at, position })) });
    // What is decided in the same millisecond, but later, would belong to the same instant.
    await pass(clock, at + 1);
  }
  office.crash();
  if (office.fatal.length > 0) throw office.fatal[0];
  return { log, records };
}

async function takeStep(
  chance: Chance,
  clock: ManualClock,
  act: { [name in 'post' | 'meddle' | 'retryAll']: () => Promise<void> },
): Promise<void> {
  const what = chance.next();
  if (what < 0.5) await act.post();
  else if (what < 0.65) await act.meddle();
  else if (what < 0.68) await act.retryAll();
  else await pass(clock, clock.now() + chance.below(4 * 3_600_000));
}
