/** One letter to ten thousand, through the real engine: transactions, one bounce, retries, memory. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { RecordedEvent } from '../../src/log/ports.ts';
import { rolesOf } from '../bench/roles.ts';
import { makeEngine, type Engine } from '../support/engine.ts';
import { storyOf } from '../support/read-log.ts';
import { openSink, type Sink, type SinkAnswers } from '../support/sink.ts';
import { handInAtOnce, idIn } from '../support/smtp-talk.ts';
import { until } from '../support/until.ts';

let engine: Engine | undefined;
let sinks: Sink[] = [];

afterEach(async () => {
  await engine?.remove();
  await Promise.all(sinks.map((sink) => sink.shut()));
  sinks = [];
});

const body = 'Subject: to all\r\n\r\nHello, all of you.\r\n';
const upTo = (count: number) => Array.from({ length: count }, (_, no) => no);

/** So many hosts d0.test, d1.test, … that answer alike. */
async function openOffice(hosts: number, answers: SinkAnswers): Promise<Engine> {
  for (let no = 0; no < hosts; no += 1) sinks.push(await openSink(0, answers));
  const routes = sinks.map(({ port }, no) => `d${no}.test:127.0.0.1:${port}\n`);
  engine = await makeEngine({
    control: { smtproutes: routes.join(''), locals: 'demo.test\n' },
    files: {
      'users/assign': '=demo:demo:::mail/demo:::\n+list-:demo:::mail/list:::\n.\n',
    },
  });
  await engine.start();
  return engine;
}

const send = async (here: Engine, to: readonly string[], from = 'demo@demo.test') =>
  idIn(await handInAtOnce(here.port, { from, to, body }));

const countOf = (story: readonly RecordedEvent[], type: string): number =>
  story.filter((event) => event.type === type).length;

/** The letter's events, once so many of this type are among them. */
const storyWith = (here: Engine, id: string, type: string, count = 1) =>
  until(
    async () => {
      const story = await storyOf(here.dataDir, id);
      return countOf(story, type) >= count ? story : undefined;
    },
    `${count} ${type}`,
    60_000,
  );

const asked = (): string[][] => sinks.flatMap(({ transactions }) => transactions);
const taken = (): string[] => sinks.flatMap(({ letters }) => letters.flatMap((l) => l.recipients));
const memoryOf = (here: Engine) =>
  new Map(
    rolesOf(here.pids().map(({ pid }) => pid)).map(({ role, mebibytes }) => [role, mebibytes]),
  );

describe('a letter to 10,000 at 100 hosts, each of which takes some, refuses some and defers some', () => {
  it('is one transaction per host, later one more for those deferred, and one bounce', async () => {
    let isBack = false;
    const here = await openOffice(100, {
      rcpt: (address) => {
        const no = Number(/\d+/.exec(address)?.[0]);
        if (Math.floor(no / 100) % 10 === 3) return '550 5.1.1 nobody of that name';
        return Math.floor(no / 100) % 10 === 7 && !isBack ? '450 4.2.0 come back' : '250 ok';
      },
    });
    const to = upTo(10_000).map((no) => `u${no}@d${no % 100}.test`);
    const before = memoryOf(here);
    const id = await send(here, to);
    const first = await storyWith(here, id, 'RecipientDeferred', 1_000);
    const tried = await storyWith(here, id, 'RecipientDelivered', 8_000);
    expect(countOf(first, 'MessageSettled')).toBe(0);
    expect(asked().map(({ length }) => length)).toEqual(upTo(100).map(() => 100));
    expect([...asked().flat()].sort()).toEqual([...to].sort());
    expect(countOf(tried, 'AttemptStarted')).toBe(100);

    isBack = true;
    here.signal('SIGALRM');
    const story = await storyWith(here, id, 'MessageCleanedUp');
    expect(
      asked()
        .slice(0)
        .map(({ length }) => length)
        .sort((a, b) => a - b),
    ).toEqual([...upTo(100).map(() => 10), ...upTo(100).map(() => 100)]);
    expect(countOf(story, 'RecipientDelivered')).toBe(9_000);
    expect(new Set(taken()).size).toBe(9_000);
    expect(taken()).toHaveLength(9_000);

    const failed = story.flatMap(({ type, data }) =>
      type === 'RecipientFailed' ? [(data as { address: string }).address] : [],
    );
    expect(failed).toHaveLength(1_000);
    const [bounce, ...more] = await until(() => here.maildir('demo'), 'the bounce');
    expect(more).toEqual([]);
    const text = readFileSync(bounce!, 'latin1');
    const told = [...text.matchAll(/^<(\S+)>:$/gm)].map(([, address]) => address);
    expect(told).toEqual(failed);
    expect(text).toContain('Remote host said: 550 5.1.1 nobody of that name\n');
    expect(text.endsWith('\nHello, all of you.\n')).toBe(true);
    expect(countOf(story, 'BounceQueued')).toBe(1);

    const grown = [...memoryOf(here)].map(([role, now]) => [role, now - (before.get(role) ?? 0)]);
    process.stdout.write(
      `grown by ${grown.map(([role, mib]) => `${role} ${Number(mib).toFixed(0)}`).join(', ')} MiB\n`,
    );
    // Far more than is needed: what grows with the square of the recipients would not fit.
    for (const [, mib] of grown) expect(mib).toBeLessThan(200);
  });
});

describe('a letter to very many at one host', () => {
  it('that takes thirty at a time is taken by it at once all the same', async () => {
    const here = await openOffice(1, {
      rcpt: (_, { length }) => (length < 30 ? '250 ok' : '452 4.5.3 too many recipients'),
    });
    const to = upTo(250).map((no) => `u${no}@d0.test`);
    const id = await send(here, to);
    const story = await storyWith(here, id, 'MessageCleanedUp');
    expect([...taken()].sort()).toEqual([...to].sort());
    expect(countOf(story, 'AttemptStarted')).toBe(3);
    expect(countOf(story, 'RecipientDeferred')).toBe(0);
    expect(sinks[0]!.letters.every(({ recipients }) => recipients.length <= 30)).toBe(true);
  });

  it('reaches an address as often as it is named', async () => {
    const here = await openOffice(1, {});
    const to = ['joe@d0.test', 'ann@d0.test', 'joe@d0.test', 'joe@d0.test'];
    const story = await storyWith(here, await send(here, to), 'MessageCleanedUp');
    expect(asked()).toEqual([to]);
    expect(countOf(story, 'RecipientDelivered')).toBe(4);
  });
});

describe('a letter to 10,000 here', () => {
  it('lies in the Maildir ten thousand times', async () => {
    const here = await openOffice(0, {});
    const to = upTo(10_000).map((no) => `list-${no}@demo.test`);
    const story = await storyWith(here, await send(here, to), 'MessageCleanedUp');
    expect(countOf(story, 'RecipientDelivered')).toBe(10_000);
    expect(here.maildir('list')).toHaveLength(10_000);
  });
});
