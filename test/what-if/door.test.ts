/** Doors under other control files, against the truth: the same dialogues held with the real verbs. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseControls } from '../../src/control/controls.ts';
import { lookupTcpRule } from '../../src/control/tcp-rules.ts';
import { rightsOf } from '../../src/ingress/accept.ts';
import { obey } from '../../src/ingress/smtp/obey.ts';
import { newSession, type Session } from '../../src/ingress/smtp/session.ts';
import type { RecordedEvent } from '../../src/log/ports.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { route } from '../../src/queue/routing.ts';
import { toRuleSet } from '../../src/what-if/rule-set.ts';
import { whatIf } from '../../src/what-if/what-if.ts';
import type { TwoHomes } from '../../src/what-if/ports.ts';
import { MemoryIntake } from '../ingress/memory-intake.ts';
import { birth } from '../support/queue-mail.ts';
import { recorded, type Told } from '../trace/recorded.ts';
import { askWhatIf, digestOf, historyOf, whole, type Files } from './two-offices.ts';

type Dialogue = {
  readonly ip: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly bytes: number;
};

/** What came of one dialogue. `taken` are the recipients as the client named them. */
type Held = {
  readonly taken: ReadonlySet<string>;
  readonly letter: MemoryIntake['letters'][number] | undefined;
  readonly refusals: readonly Record<string, string>[];
};

const peerOf = (ip: string): string => `${ip}:25`;

/** Who is at home: everybody but those called `nobody`. */
const receives = (address: string): boolean => !address.startsWith('nobody');

async function hold({ ip, from, to, bytes }: Dialogue, files: Files): Promise<Held> {
  const { tcpRules } = parseControls(whole(files));
  const set = toRuleSet(whole(files), { digest: '' });
  const { allow, env } = lookupTcpRule(tcpRules, { ip });
  const refusals: Record<string, string>[] = [];
  const intake = new MemoryIntake();
  if (!allow) {
    const reply = '(closed without a word: tcp.smtp denies)';
    return { taken: new Set(), letter: undefined, refusals: [{ peer: peerOf(ip), reply }] };
  }
  const session: Session = newSession(
    {
      ...{ name: 'smtp', rules: () => set.door, intake, clock: new ManualClock(birth) },
      receives: (recipient) => {
        const way = route(recipient, set.routing);
        return way.channel !== 'local' || receives(way.address);
      },
      refusals: { note: ({ door: _, ...refusal }) => refusals.push({ ...refusal }) },
      report: (what, cause) => {
        throw new Error(what, { cause });
      },
      ...{ startTls: false, maxRecipients: 9, maxFruitless: 99, bareNewlines: 'refuse' },
      letterTimeoutMs: 1e9,
    },
    { ip, peer: peerOf(ip), rights: rightsOf(env) },
  );
  await obey(session, 'EHLO client.test');
  await obey(session, `MAIL FROM:<${from}>`);
  const taken = new Set<string>();
  for (const each of to) {
    if ((await obey(session, `RCPT TO:<${each}>`)).code === 250) taken.add(each);
  }
  if (taken.size > 0) {
    await obey(session, 'DATA');
    const { incoming } = session;
    incoming!.push(Buffer.from(`${'x'.repeat(bytes)}\r\n.\r\n`));
    if ((await incoming!.finish()).code !== 250) taken.clear();
  }
  return { taken, letter: intake.letters[0], refusals };
}

/** The dialogue as the log has it. */
function toldOf(n: number, { letter, refusals }: Held, files: Files, name: string): Told[] {
  const door = refusals.map((data): Told => ({
    stream: `door-smtp-2026-01-01-x`,
    event: { type: 'Refused', v: 1, at: birth + n, data },
  }));
  if (letter === undefined) return door;
  const { routing } = toRuleSet(whole(files), { digest: '' });
  const { envelope, arrival, body } = letter;
  const ref = { id: name, bytes: body.length, sha256: '' };
  const routes = envelope.recipients.map((to) => route(to, routing));
  const tell = (type: string, data: unknown): Told => ({
    stream: `message-${name}`,
    event: { type, v: 1, at: birth + n, data },
  });
  return [
    ...door,
    tell('MessageAccepted', { envelope, body: ref, arrival }),
    tell('MessageQueued', { routes, controls: digestOf(files) }),
  ];
}

const domain = fc.constantFrom('a.test', 'sub.a.test', 'b.test', 'far.test');
const lists = (of: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(of, { maxLength: 3 }).map((all) => all.map((line) => `${line}\n`).join(''));

const client = fc
  .tuple(
    fc.constantFrom('10.0.0.1', '10.', ''),
    fc.constantFrom('allow', 'allow', 'deny', 'allow,RELAYCLIENT=""'),
    fc.constantFrom('', ',DATABYTES="40"'),
  )
  .map(([ip, right, size]) => `${ip}:${right}${right === 'deny' ? '' : size}`);

const files: fc.Arbitrary<Files> = fc.record(
  {
    locals: lists(domain),
    virtualdomains: lists(domain.map((host) => `${host}:joe`)),
    rcpthosts: lists(fc.oneof(domain, fc.constant('.a.test'))),
    morercpthosts: lists(domain),
    badmailfrom: lists(fc.constantFrom('@spam.test', 'ann@a.test')),
    databytes: fc.constantFrom('20\n', '60\n', '0\n'),
    'tcp.smtp': lists(client),
  },
  { requiredKeys: ['tcp.smtp'] },
);

const dialogue: fc.Arbitrary<Dialogue> = fc.record({
  ip: fc.constantFrom('10.0.0.1', '10.0.0.2', '192.0.2.1'),
  from: fc.constantFrom('', 'ann@a.test', 'x@spam.test', 'joe@b.test'),
  to: fc.uniqueArray(
    fc.tuple(fc.constantFrom('joe', 'nobody'), domain).map((parts) => parts.join('@')),
    { minLength: 1, maxLength: 3 },
  ),
  bytes: fc.constantFrom(10, 30, 50, 100),
});

/** Everybody has the same home before and after: who is nobody stays nobody. */
const homes: TwoHomes = {
  was: async (routed) => ({ user: 'joe', home: '/j', ext: '', receives: receives(routed) }),
  wouldBe: async (routed) => ({ user: 'joe', home: '/j', ext: '', receives: receives(routed) }),
};

async function judgeAgain(events: readonly RecordedEvent[], was: Files, wouldBe: Files) {
  const walk = whatIf({
    log: {
      readAll: async ({ after = 0 }) => events.filter(({ position }) => position > after),
      head: async () => events.length,
    },
    history: historyOf(was, digestOf(was)),
    rules: toRuleSet(whole(wouldBe), { digest: digestOf(wouldBe) }),
    homes,
  });
  const differences = [];
  for await (const difference of walk) differences.push(difference);
  return differences.filter(({ kind }) => kind === 'door');
}

describe('who is let in under other control files', () => {
  it('is whom a real door would let in, recipient by recipient', async () => {
    await fc.assert(
      fc.asyncProperty(files, files, dialogue, async (was, wouldBe, said) => {
        const [then, instead] = [await hold(said, was), await hold(said, wouldBe)];
        const events = recorded(...toldOf(0, then, was, 'one'));
        const differences = await judgeAgain(events, was, wouldBe);
        const outside = differences.filter(({ message }) => message === 'one');
        const inside = differences.filter(({ message }) => message === undefined);
        for (const each of then.taken) {
          const found = outside.find(({ address }) => address === each);
          if (instead.taken.has(each)) expect(found).toBeUndefined();
          else expect(found).toMatchObject({ certain: true, was: { what: 'accepted' } });
        }
        expect(outside.every(({ address }) => then.taken.has(address!))).toBe(true);
        for (const { recipient } of then.refusals) {
          if (recipient === undefined) continue;
          const found = inside.find(({ address }) => address === recipient);
          // How large the letter would have been nobody knows of one that never came.
          const isTooLarge = instead.taken.size === 0 && instead.refusals.some(isOfSize);
          if (isTooLarge) continue;
          expect([recipient, found !== undefined]).toEqual([
            recipient,
            instead.taken.has(recipient),
          ]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is not sure of letters that came before sizes were on record', async () => {
    const said = { ip: '10.0.0.1', from: '', to: ['joe@a.test'], bytes: 3_000 };
    const was = { rcpthosts: 'a.test\n' };
    const held = await hold(said, was);
    const { size: _, ...arrival } = held.letter!.arrival;
    const events = recorded(
      ...toldOf(0, { ...held, letter: { ...held.letter!, arrival } }, was, 'one'),
    );
    const ask = async (databytes: string) =>
      (await askWhatIf(events, was, { ...was, databytes })).differences.map(
        ({ certain }) => certain,
      );
    expect(await ask('100')).toEqual([true]);
    expect(await ask('2900')).toEqual([false]);
    expect(await ask('5000')).toEqual([]);
  });

  it('lets in what was too large once there is no limit any more', async () => {
    const said = { ip: '10.0.0.1', from: '', to: ['joe@a.test'], bytes: 3_000 };
    const was = { rcpthosts: 'a.test\n', databytes: '99\n' };
    const events = recorded(...toldOf(0, await hold(said, was), was, 'one'));
    const ask = async (databytes: string) => {
      const { differences, summary } = await askWhatIf(events, was, { ...was, databytes });
      expect(summary).toMatchObject({ letters: 0, refusals: 1 });
      return differences.map(({ certain, wouldBe }) => [certain, wouldBe.what]);
    };
    expect(await ask('0\n')).toEqual([[true, 'accepted']]);
    expect(await ask('500\n')).toEqual([[false, 'accepted, if not above 500 bytes']]);
    expect(await ask('50\n')).toEqual([]);
  });
});

const isOfSize = ({ reply }: Record<string, string>): boolean => reply!.startsWith('552');
