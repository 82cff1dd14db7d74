/** A bad quarter of an hour among several nodes, by its seed, and the accounts afterwards. */
import { expect } from '@jest/globals';
import { emptyAudit } from '../../src/trace/audit-books.ts';
import { closeAudit, foldAudit } from '../../src/trace/audit.ts';
import { empty, fold } from '../../projections/agenda.ts';
import { declareGone, undecided } from '../../src/nodes/declare.ts';
import { Ledger } from '../../src/nodes/ledger.ts';
import { isSurelyOver } from '../../src/nodes/leases.ts';
import { messageOf, type QueueEvent } from '../../src/queue/events.ts';
import type { RecordedEvent } from '../../src/log/ports.ts';
import { audit } from './audit.ts';
import { Cluster, type Member } from './cluster.ts';
import { everything, settleWithPauses } from './post-office.ts';
import { seeded, type Chance } from './seeded.ts';
import { checkBounces, checkForwards, checkTaken, storiesOf, told } from './stories.ts';
import { idOf } from './random-letters.ts';
import { viewOf } from './agenda-view.ts';

const hour = 3_600_000;
const names = ['one', 'two', 'three'];
const faults = ['refused', 'lost', 'conflict', 'full'] as const;
const verdicts = ['delivered', 'deferred', 'deferred', 'failed'] as const;
const addresses = ['a@far.test', 'b@far.test', 'joe@here.test', 'c@else.test', 'ann@here.test'];

/** What came to pass, for whoever wants to know that the test has seen something. */
export type Sums = {
  letters: number;
  takes: number;
  adoptions: number;
  doubts: number;
  declared: number;
  fenced: number;
};

/** Throws when anything is not as it must be. */
export async function badWeek(seed: number, steps = 40): Promise<Sums> {
  const chance = seeded(seed);
  let calm = true;
  const fences = chance.happens(0.5);
  const cluster = new Cluster({
    ...{ chance, fences, leaseEvents: 5 + chance.below(10) },
    policy: chance.one(['retry', 'retry', 'hold']),
    fault: () => (!calm && chance.happens(0.05) ? chance.one(faults) : 'none'),
    verdict: () => (calm ? 'delivered' : chance.one(verdicts)),
    hangs: () => !calm && chance.happens(0.1),
  });
  try {
    const count = 2 + chance.below(2);
    for (const name of names.slice(0, count)) await begin(cluster, name, chance);
    for (let step = 0; step < steps; step += 1) {
      calm = false;
      await something(cluster, chance, async (run) => {
        // A start on a bad log fails as a whole; the supervisor makes it again.
        calm = true;
        await run();
      });
      calm = false;
      await cluster.pass(2_500 * (1 + chance.below(4)));
      if (chance.happens(0.1)) await cluster.log.scavenge(() => chance.happens(0.7));
    }
    calm = true;
    await finish(cluster, chance);
  } finally {
    cluster.end();
  }
  return accounts(cluster, fences, chance);
}

const begin = (cluster: Cluster, name: string, chance: Chance): Promise<Member> =>
  cluster.start(name, {
    rate: chance.one([1, 1, 0.9, 1.1, 0.5]),
    offsetMs: chance.one([0, 0, -2, 3]) * hour,
  });

async function something(
  cluster: Cluster,
  chance: Chance,
  calmly: (run: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const { members } = cluster;
  const member = members.length === 0 ? undefined : chance.one(members);
  const what = chance.below(100);
  if (member === undefined || what < 6) {
    const away = names.filter((name) => !members.some((each) => each.name === name));
    if (away.length > 0) await calmly(() => begin(cluster, chance.one(away), chance));
    return;
  }
  const { fate } = member;
  if (what < 45) await post(cluster, member, chance);
  else if (what < 52) meddle(cluster, member, chance);
  else if (what < 53) await declare(cluster, member, chance);
  else if (what < 60) cluster.crash(member);
  else if (what < 66) fate.pause();
  else if (what < 72) fate.cut = true;
  else if (what < 75) fate.deaf = true;
  else if (what < 90) mend(member);
  else if (what < 94) cluster.answer();
  else if (what < 97) await cluster.skip(chance.below(5) * hour);
  else if (!fate.paused && !fate.cut) await stop(cluster, member);
}

/** A lease that is lost is the end of a process; `start` makes a new one. */
function mend({ fate }: Member): void {
  fate.cut = false;
  fate.deaf = false;
  fate.resume();
}

async function post(cluster: Cluster, member: Member, chance: Chance): Promise<void> {
  const { fate, office } = member;
  // One that stands still answers nobody. Otherwise a door that is to say 451 may ask a moment too early.
  if (fate.paused || (!office.node!.mayStart() && chance.happens(0.8))) return;
  const recipients = addresses.filter(() => chance.happens(0.4));
  const returnPath = chance.one(['joe@here.test', '', '#@[]', 'bob@far.test']);
  await Promise.race([cluster.post(member, recipients, returnPath), settleWithPauses(2)]);
}

function meddle(cluster: Cluster, { office }: Member, chance: Chance): void {
  const act = chance.one(['retry', 'hold', 'release', 'cancel', 'redirect'] as const);
  const rcpts = act === 'redirect' || chance.happens(0.5) ? { rcpts: [chance.below(3)] } : {};
  const message = idOf(1 + chance.below(cluster.letters + 1));
  const order = { act, message, by: 'op', why: 'a whim', to: chance.one(addresses), ...rcpts };
  office.operator.act(order).catch(() => undefined);
}

/** An operator thinks that some node is dead; perhaps it is. Only its silence is sure. */
async function declare(cluster: Cluster, { office }: Member, chance: Chance): Promise<void> {
  const { leases } = office.node!.ledger;
  const [meant] = undecided(leases, [chance.one([...leases.values()])]);
  if (meant === undefined) return;
  const { incarnation, revision } = meant;
  await cluster.pass(15_000);
  const word = { incarnation, revision, by: 'op', why: 'thinks so', at: 0 };
  await declareGone(cluster.log, word);
}

/** TERM. */
async function stop(cluster: Cluster, member: Member): Promise<void> {
  const { lease } = member.office.node!;
  lease.drain().catch(() => undefined);
  cluster.answer();
  await cluster.pass(5_000);
  const { local, remote } = member.office.scheduler.active;
  // The lease is closed only when no attempt runs; else the others find it silent.
  if (local + remote === 0)
    await Promise.race([lease.close().catch(() => undefined), settleWithPauses(3)]);
  cluster.crash(member);
}

/** Fair weather, somebody to look after every letter, and all the time it takes. */
async function finish(cluster: Cluster, chance: Chance): Promise<void> {
  for (const member of cluster.members) mend(member);
  cluster.answer();
  await settleWithPauses(3);
  for (const member of cluster.members) member.rate = 1;
  const survivor = await cluster.start('survivor');
  await cluster.pass(60_000);
  for (const member of [...cluster.members]) {
    const isLost = member.office.node!.lease.standing === 'lost';
    if (isLost || (member !== survivor && chance.happens(0.3))) cluster.crash(member);
  }
  // A lease’s time at the slowest clock of those that watch, twice: the taker may have been taken.
  await cluster.pass(130_000);
  for (let round = 0; round < 3; round += 1) {
    const { rows } = survivor.office.keeper.agenda;
    for (const message of [...rows.openLetters()].map((letter) => rows.idOf(letter))) {
      const order = { act: 'release', message, by: 'op', why: 'the end' } as const;
      await survivor.office.operator.act(order);
    }
    await cluster.pass(10_000);
    await cluster.skip(8 * 24 * hour);
    await settleWithPauses(2);
    await cluster.pass(10_000);
  }
}

async function accounts(cluster: Cluster, fences: boolean, chance: Chance): Promise<Sums> {
  const events = await everything(cluster.inner);
  const letters = events.filter(({ stream }) => stream.startsWith('message-'));
  const stories = storiesOf(letters);
  expect(cluster.wrong).toEqual([]);
  for (const id of cluster.promised) expect([id, stories.has(id)]).toEqual([id, true]);
  for (const [id, story] of stories) {
    const [accepted] = story;
    if (accepted?.type !== 'MessageAccepted') throw new Error(`${id} is not accepted first`);
    const recipients = accepted.data.envelope.recipients.length;
    if (story.at(-1)?.type !== 'MessageCleanedUp')
      throw new Error(`${id} never ends:\n${told(story)}`);
    audit(story, recipients);
    checkTaken(cluster.taken, id, story, recipients);
  }
  checkBounces(stories);
  checkForwards(stories);
  checkBooks(events);
  checkLeases(events);
  checkSent(cluster, letters as readonly Known[]);
  if (fences) checkFences(events as readonly Known[]);
  await checkScavenged(cluster, chance);
  return {
    letters: stories.size,
    takes: events.filter(({ type }) => type === 'LeaseTaken').length,
    adoptions: events.filter(({ type }) => type === 'MessageAdopted').length,
    doubts: letters.filter(({ data }) => (data as { doubt?: true }).doubt === true).length,
    declared: events.filter(({ type }) => type === 'LeaseDeclaredGone').length,
    fenced: cluster.fenced,
  };
}

/** By the accountant who shares no code with the queue: accepted = terminal + open, owner after owner. */
function checkBooks(events: readonly RecordedEvent[]): void {
  const books = closeAudit(events.reduce(foldAudit, emptyAudit()));
  expect(books.mistakes).toEqual([]);
  expect(books.open.size).toBe(0);
  expect(viewOf(events.reduce(fold, empty()))).toEqual({ letters: {}, owing: [], aside: [] });
}

/** Nobody says anything on a lease that was taken, or whose node is said to be gone; besides these two words. */
function checkLeases(events: readonly RecordedEvent[]): void {
  const over = new Map<string, string[]>();
  for (const { stream, type } of events) {
    if (!stream.startsWith('lease-')) continue;
    const said = over.get(stream);
    const isLast = type === 'LeaseTaken' || type === 'LeaseDeclaredGone';
    if (said !== undefined && (!isLast || said.includes(type)))
      throw new Error(`${type} in ${stream}, after ${said.join(', ')}`);
    if (isLast) over.set(stream, [...(said ?? []), type]);
  }
}

/** Nothing is accepted or begun in the name of a node whose lease was taken. */
function checkFences(events: readonly Known[]): void {
  const taken = new Set<string>();
  const owners = new Map<string, string | undefined>();
  for (const event of events) {
    const { stream, type } = event as RecordedEvent;
    if (type === 'LeaseTaken') taken.add(stream.slice('lease-'.length));
    if (event.type === 'MessageAccepted') owners.set(stream, event.data.owner);
    if (event.type === 'MessageAdopted') owners.set(stream, event.data.by);
    if (event.type !== 'MessageAccepted' && event.type !== 'AttemptStarted') continue;
    const owner = owners.get(stream);
    if (taken.has(owner!)) throw new Error(`${type} in ${stream} by ${owner}, behind its fence`);
  }
}

/** Whose letters are whose, who is dead: the same from all events and from those that a scavenge leaves. */
async function checkScavenged(cluster: Cluster, chance: Chance): Promise<void> {
  const view = async () => {
    const ledger = new Ledger({ log: cluster.log });
    for (const event of await cluster.log.readAll({ limit: 1_000_000 }))
      ledger.hear({ kind: 'event', event });
    const { leases, owners } = ledger;
    const all = [...leases.values()].sort((a, b) => (a.incarnation < b.incarnation ? -1 : 1));
    return {
      leases: all.map((lease) => ({ ...lease, over: isSurelyOver(leases, lease.incarnation) })),
      owners: owners.owners().map((owner) => [owner, ...owners.of(owner)]),
    };
  };
  const whole = new Ledger({ log: cluster.inner });
  for (const event of await everything(cluster.inner)) whole.hear({ kind: 'event', event });
  const before = await view();
  expect(before.leases.map(({ incarnation }) => incarnation)).toEqual(
    [...whole.leases.keys()].sort(),
  );
  for (const { over, ...lease } of before.leases) {
    expect(lease).toEqual(whole.leases.get(lease.incarnation));
    expect([lease.incarnation, over]).toEqual([
      lease.incarnation,
      isSurelyOver(whole.leases, lease.incarnation),
    ]);
  }
  await cluster.log.scavenge(() => chance.happens(0.8));
  expect(await view()).toEqual(before);
  await cluster.log.scavenge(() => true);
  expect(await view()).toEqual(before);
}

type Known = RecordedEvent & QueueEvent;

/** No attempt without its record, none twice, and none by a node that does not own the letter. */
function checkSent({ sent }: Cluster, letters: readonly Known[]): void {
  const owners = new Map<string, string | undefined>();
  const makers = new Map<string, string | undefined>();
  for (const event of letters) {
    const id = messageOf(event.stream)!;
    if (event.type === 'MessageAccepted') owners.set(id, event.data.owner);
    if (event.type === 'MessageAdopted') owners.set(id, event.data.by);
    if (event.type === 'AttemptStarted') makers.set(`${id} ${event.data.attempt}`, owners.get(id));
  }
  for (const { by, message, attempt } of sent) {
    const name = `${message} ${attempt}`;
    if (!makers.has(name)) throw new Error(`${name} was sent again, or without a record, by ${by}`);
    if (makers.get(name) !== by) throw new Error(`${name} is ${makers.get(name)}’s, sent by ${by}`);
    makers.delete(name);
  }
}
