/** The same mail through the queue's whole mind twice, under two sets of control files; time by hand, far sides by rule. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { of } from 'rxjs';
import { parseControls } from '../../src/control/controls.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import type { RecordedEvent } from '../../src/log/ports.ts';
import type { MessageId } from '../../src/mail/envelope.ts';
import type { VerdictKind } from '../../src/mail/verdict.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import type { QueueEvent } from '../../src/queue/events.ts';
import type { Order } from '../../src/queue/ports.ts';
import { memorySpool } from '../../src/spool/memory/memory-spool.ts';
import type { NodeHistory } from '../../src/trace/rules-of-the-day.ts';
import type { Difference, Summary } from '../../src/what-if/differences.ts';
import { toRuleSet } from '../../src/what-if/rule-set.ts';
import { whatIf } from '../../src/what-if/what-if.ts';
import { everything, openPostOffice, pass } from '../support/post-office.ts';
import { birth } from '../support/queue-mail.ts';
import { idOf } from '../support/random-letters.ts';

export type Files = { readonly [name: string]: string };
export type Posted = { readonly returnPath: string; readonly recipients: readonly string[] };
export type Recorded = RecordedEvent & QueueEvent;

export const whole = (files: Files): Files => ({ me: 'here.test\n', ...files });

/** As `ControlsLoaded` would have said it, before anything else. */
export function historyOf(files: Files, digest: string): NodeHistory {
  const load = { digest, files: whole(files), at: birth, position: 0, stream: 'node-here-1' };
  return { rules: new Map([[digest, load]]), loads: [load], newest: load };
}

/** What becomes of a recipient hangs on who it is, not on where it goes: so both runs can be compared. */
function fateOf(order: Order, rcpt: number, tries: number): VerdictKind {
  const digest = createHash('sha256').update(`${order.message} ${rcpt}`).digest();
  const kinds = ['delivered', 'failed', 'deferred', tries < 3 ? 'deferred' : 'delivered'] as const;
  return kinds[digest[0]! % 4]!;
}

/** All events of mail that came in within an hour, and was followed for so many days. */
export async function runUnder(
  files: Files,
  mail: readonly Posted[],
  days: number,
): Promise<readonly Recorded[]> {
  const bodies = new Map<string, Uint8Array>();
  const log = new MemoryLog(bodies);
  const clock = new ManualClock(birth);
  const tries = new Map<string, number>();
  const office = await openPostOffice({
    ...{ log, clock, spool: memorySpool(bodies), controls: () => files },
    slots: () => ({ local: 1000, remote: 1000 }),
    lifetimeSeconds: parseControls(whole(files)).controls.queuelifetime,
    channel: {
      attempt: (order) =>
        of({
          outcomes: order.recipients.map(({ rcpt }) => {
            const key = `${order.message} ${rcpt}`;
            tries.set(key, (tries.get(key) ?? 0) + 1);
            const kind = fateOf(order, rcpt, tries.get(key)!);
            return { rcpt, kind, reply: { text: `${kind}.\n`, code: 250 } };
          }),
        }),
    },
  });
  for (const [n, { returnPath, recipients }] of mail.entries()) {
    await office.post(idOf(n), returnPath, recipients);
    await pass(clock, clock.now() + 60_000);
  }
  await pass(clock, birth + days * 86_400_000);
  if (office.fatal.length > 0) throw new Error(String(office.fatal[0]));
  office.crash();
  return (await everything(log)) as readonly Recorded[];
}

export const digestOf = (files: Files): string => JSON.stringify(files);

export type Answer = { readonly differences: readonly Difference[]; readonly summary: Summary };

export async function askWhatIf(
  events: readonly RecordedEvent[],
  was: Files,
  wouldBe: Files,
  times: { readonly since?: number; readonly until?: number } = {},
): Promise<Answer> {
  const walk = whatIf({
    log: logOf(events),
    history: historyOf(was, digestOf(was)),
    rules: toRuleSet(whole(wouldBe), { digest: digestOf(wouldBe) }),
    ...times,
  });
  const differences: Difference[] = [];
  for (;;) {
    const next = await walk.next();
    if (next.done === true) return { differences, summary: next.value };
    differences.push(next.value);
  }
}

const logOf = (events: readonly RecordedEvent[]) => ({
  readAll: async ({ after = 0, limit }: { after?: number; limit: number }) =>
    events.filter(({ position }) => position > after).slice(0, limit),
  head: async () => events.at(-1)?.position ?? 0,
});

/** Events of a type by letter. */
export const ofType = <T extends QueueEvent['type']>(events: readonly Recorded[], type: T) =>
  new Map(
    events
      .filter((event): event is Recorded & Extract<QueueEvent, { type: T }> => event.type === type)
      .map((event): [MessageId, RecordedEvent & Extract<QueueEvent, { type: T }>] => [
        event.stream.slice('message-'.length),
        event,
      ]),
  );

const domain = fc.constantFrom('a.test', 'sub.a.test', 'b.test', 'c.test');
const user = fc.constantFrom('u', 'v%b.test', 'w-x');

export const address = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(user, domain).map(([local, host]) => `${local}@${host}`) },
  { weight: 1, arbitrary: user },
);

const lines = (of: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(of, { maxLength: 4 }).map((all) => all.map((line) => `${line}\n`).join(''));

const key = fc.oneof(domain, fc.constantFrom('.a.test', '.test', '', 'u@a.test'));

/** Control files as an operator might have them, and as he would not. */
export const files: fc.Arbitrary<Files> = fc.record(
  {
    locals: lines(domain),
    envnoathost: domain.map((host) => `${host}\n`),
    percenthack: lines(domain),
    virtualdomains: lines(
      fc.tuple(key, fc.constantFrom('joe', 'w-x', '')).map((pair) => pair.join(':')),
    ),
    smtproutes: lines(
      fc
        .tuple(key, fc.constantFrom('relay.test', '192.0.2.1:26', ''))
        .map((pair) => pair.join(':')),
    ),
    queuelifetime: fc.constantFrom('100\n', '5000\n', '86400\n', '200000\n'),
    doublebounceto: fc.constantFrom('boss\n', 'postmaster\n'),
    doublebouncehost: domain.map((host) => `${host}\n`),
    bouncefrom: fc.constantFrom('MAILER-DAEMON\n', 'robot\n'),
  },
  { requiredKeys: [] },
);

export const mail: fc.Arbitrary<readonly Posted[]> = fc.array(
  fc.record({
    returnPath: fc.constantFrom('', 'joe@a.test', 'ann@c.test'),
    recipients: fc.array(address, { minLength: 1, maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 4 },
);
