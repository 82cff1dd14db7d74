/** A letter whose stream does not fold, in the whole queue: it is set aside, and nobody else notices. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NEVER, of } from 'rxjs';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { isTrouble } from '../../src/mail/trouble.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { memorySpool } from '../../src/spool/memory/memory-spool.ts';
import { factsReader, queueJson, queueText } from '../../src/trace/queue-lines.ts';
import { firstDue } from '../../src/trace/queue-rows.ts';
import { verify } from '../../src/trace/verify.ts';
import { openPostOffice, settle, typesOf, type PostOffice } from '../support/post-office.ts';
import { birth } from '../support/queue-mail.ts';
import { idOf } from '../support/random-letters.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

let bodies: Map<string, Uint8Array>;
let log: MemoryLog;
let clock: ManualClock;
let dir: TempDir;
let office: PostOffice;
let slots: number;
let answers: boolean;

async function open(): Promise<void> {
  office = await openPostOffice({
    ...{ log, clock, spool: memorySpool(bodies), checkpoint: dir.file('agenda') },
    slots: () => ({ local: slots, remote: slots }),
    channel: {
      attempt: ({ recipients }) =>
        answers
          ? of({
              outcomes: recipients.map(({ rcpt }) => ({
                ...{ rcpt, kind: 'delivered' as const, reply: { text: 'ok\n', code: 250 } },
              })),
            })
          : NEVER,
    },
  });
}

beforeEach(async () => {
  bodies = new Map();
  log = new MemoryLog(bodies);
  clock = new ManualClock(birth);
  dir = tempDir();
  slots = 0;
  answers = true;
  await open();
});

afterEach(() => {
  office.crash();
  expect(office.fatal).toEqual([]);
  dir.remove();
});

const post = (no: number) => office.post(idOf(no), 'joe@here.test', ['a@far.test', 'b@far.test']);

/** As somebody would who knows the event store's password; or a fault of ours. */
async function foist(no: number, type: string, data: object): Promise<void> {
  const stream = `message-${idOf(no)}`;
  const revision = (await log.readStream(stream)).length - 1;
  await log.append(stream, revision, [{ type, v: 1, at: clock.now(), data }]);
}

const delivered = (rcpt: number) => ({
  ...{ rcpt, address: 'x@far.test', attempt: 1, startedAt: birth, reply: { text: 'ok\n' } },
});

async function restart(): Promise<void> {
  office.crash();
  await open();
  await settle();
}

const openSlots = async (): Promise<void> => {
  slots = 20;
  office.scheduler.stir();
  await settle();
};

async function said(): Promise<{ text: string; json: string }> {
  const { agenda, position } = office.keeper;
  const { rows } = firstDue(agenda, clock.now(), 100);
  const told = { rows, owing: agenda.owing, aside: agenda.aside, now: clock.now() };
  const [text, json]: [string[], string[]] = [[], []];
  for await (const line of queueText(told, factsReader(log, position))) text.push(line);
  for await (const line of queueJson(told, factsReader(log, position))) json.push(line);
  return { text: text.join('\n'), json: json.join('\n') };
}

const proved = () => verify({ log, checkpoint: undefined, bodyFile: () => '' });

describe('a letter with an event of a recipient that it has not', () => {
  beforeEach(async () => {
    for (const no of [1, 2, 3]) await post(no);
    await foist(2, 'RecipientDelivered', delivered(7));
    await openSlots();
  });

  it('is not attempted, and all others are', async () => {
    expect((await typesOf(log, idOf(1))).at(-1)).toBe('MessageCleanedUp');
    expect((await typesOf(log, idOf(3))).at(-1)).toBe('MessageCleanedUp');
    expect(await typesOf(log, idOf(2))).not.toContain('AttemptStarted');
    expect(office.keeper.agenda.rows.recipients).toBe(2);
  });

  it('is named, with the event that is the matter', async () => {
    expect(office.troubles).toHaveLength(1);
    const [trouble] = office.troubles;
    const words = /^event \d+ \(RecipientDelivered\) makes no sense: recipient 7 is none of its 2$/;
    expect(isTrouble(trouble, 'log-damaged') && trouble.message).toMatch(words);
    const { text, json } = await said();
    expect(text).toMatch(/SET ASIDE, nothing is attempted: event \d+ \(RecipientDelivered\)/);
    expect(json.split('\n').map((line) => JSON.parse(line) as object)).toMatchObject([
      { message: idOf(2), setAside: expect.stringMatching(/recipient 7/) },
      { message: idOf(2), recipient: 1 },
    ]);
    const { ok, mistakes } = await proved();
    expect(ok).toBe(false);
    expect(mistakes.map(({ stream }) => stream)).toContain(`message-${idOf(2)}`);
  });

  it('is let alone after a restart, too', async () => {
    await restart();
    await post(4);
    await settle();
    expect((await typesOf(log, idOf(4))).at(-1)).toBe('MessageCleanedUp');
    expect(await typesOf(log, idOf(2))).not.toContain('AttemptStarted');
  });
});

it('a letter that was under attempt when nonsense came does not keep the queue from starting', async () => {
  answers = false;
  slots = 20;
  await post(1);
  await settle(3);
  office.crash();
  await foist(1, 'AttemptStarted', {
    ...{ attempt: 1, rcpts: [9], routes: [], controls: '', untilAt: birth },
  });
  answers = true;
  await open();
  expect(office.recovered.unreadable).toEqual([idOf(1)]);
  await post(2);
  await settle();
  expect((await typesOf(log, idOf(2))).at(-1)).toBe('MessageCleanedUp');
});

describe('a letter with an event that the agenda makes nothing of', () => {
  beforeEach(async () => {
    for (const no of [1, 2, 3]) await post(no);
    await foist(2, 'AttemptStarted', { attempt: 1, rcpts: [0], routes: null });
    await openSlots();
  });

  const expectSetAside = async (): Promise<void> => {
    expect([...office.keeper.agenda.aside.keys()]).toEqual([idOf(2)]);
    expect((await typesOf(log, idOf(1))).at(-1)).toBe('MessageCleanedUp');
    expect((await typesOf(log, idOf(2))).filter((type) => type === 'AttemptStarted')).toHaveLength(
      1,
    );
    const { text, json } = await said();
    expect(text).toMatch(/is set aside: event \d+ \(AttemptStarted\) does not look like one/);
    expect(json).toMatch(/"status":"set-aside"/);
  };

  it('is set aside, and all others go on', async () => {
    await expectSetAside();
    const { ok, setAside } = await proved();
    expect([ok, setAside.map(({ message }) => message)]).toEqual([false, [idOf(2)]]);
  });

  it('stays so after a restart, with the checkpoint or without', async () => {
    await restart();
    await expectSetAside();
    await office.keeper.checkpoint(true);
    await restart();
    await expectSetAside();
    await post(4);
    await settle();
    expect((await typesOf(log, idOf(4))).at(-1)).toBe('MessageCleanedUp');
  });
});

describe('a letter that ends while somebody waits', () => {
  it('keeps its body, and is set aside', async () => {
    await post(1);
    await foist(1, 'MessageCleanedUp', { body: idOf(1) });
    await settle();
    expect([...office.keeper.agenda.aside.keys()]).toEqual([idOf(1)]);
    expect([...bodies.keys()]).toEqual([idOf(1)]);
  });

  it('owes no bounce', async () => {
    await post(1);
    await foist(1, 'MessageSettled', { failed: [0] });
    await settle();
    expect(office.keeper.agenda.owing.size).toBe(0);
    expect([...office.keeper.agenda.aside.values()]).toEqual([
      expect.stringMatching(/\(MessageSettled\) makes no sense: recipients are not done$/),
    ]);
  });
});
