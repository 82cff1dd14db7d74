import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { shippedNames } from '../../src/ask/shipped.ts';
import type { Position } from '../../src/log/ports.ts';
import { openAtHand, type KurrentAtHand } from '../../src/log/kurrentdb/at-hand.ts';
import { toGiven } from '../../src/ask/given.ts';
import { shipped } from '../../src/ask/shipped.ts';
import { walk, type Source } from '../../src/ask/walk.ts';
import { toLines } from '../../src/ask/words.ts';
import { asked } from '../ask/in-process.ts';
import { openStandIn } from '../support/kurrent/open.ts';
import { until } from '../support/until.ts';
import { tempDir } from '../support/temp-dir.ts';
import { openOffice, says, type Office } from '../trace/office.ts';

/** The same mail in a log of our own and in an event store. */
let office: Office;
let store: Awaited<ReturnType<typeof openStandIn>>;
let atHand: KurrentAtHand;
let letter: string;
/** Of the event store's position, the one of our own log. */
const positions = new Map<Position, Position>();
const [own, shared] = [tempDir(), tempDir()];
const main = resolve(import.meta.dirname, '../../src/cli/main.ts');
const start = Date.UTC(2026, 10, 20, 12);

const counting = `export const question = {
  title: 'Counts', about: '', bounds: '', empty: () => ({ n: 0 }),
  fold: (view) => ({ n: view.n + 1 }), answer: ({ n }) => ({ kind: 'lines', lines: [n + ' events'] }),
};`;

beforeAll(async () => {
  office = await openOffice(start);
  store = await openStandIn();
  const done = await office.accept(['bob@here.test', 'sue@here.test']);
  await office.attempt(done, [0, 1], [says('delivered', 0), says('delivered', 1)]);
  office.clock.advance(7_200_000);
  letter = await office.accept(['ann@b.test']);
  await office.attempt(letter, [0], [says('deferred', 0, '451 busy\n')]);
  office.clock.advance(7_200_000);
  const failed = await office.accept(['zoe@c.test']);
  await office.attempt(failed, [0], [says('failed', 0, '550 no such user\n')]);
  for (const { stream, revision, position, ...event } of await office.log.readAll({ limit: 100 })) {
    const appended = await store.log.append(stream, revision - 1, [event]);
    positions.set(appended.position, position);
  }
  atHand = openAtHand(store.connection);
  for (const dir of [own, shared]) {
    writeFileSync(dir.file('counting.mjs'), counting);
  }
  const folders = `[projections]\nfolders = ["."]\n`;
  writeFileSync(own.file('waybill.toml'), folders);
  const engine = `[log]\nengine = "kurrentdb"\nurl = "${store.server.url()}"\n`;
  writeFileSync(shared.file('waybill.toml'), engine + folders);
});
afterAll(async () => {
  await store.close();
  await office.remove();
  for (const dir of [own, shared]) dir.remove();
});

/** Not `spawnSync`: the event store answers from this process. */
const run = (...args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });

async function told(...args: readonly string[]): Promise<string> {
  const child = run(...args);
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  }
  const code = await new Promise((ended) => child.once('close', ended));
  return `${text}exit ${String(code)}`;
}

const [ofOwn, ofStore] = [
  (...args: readonly string[]) => told('ask', ...args, '--config', own.path, '--data', office.path),
  (...args: readonly string[]) =>
    told('ask', ...args, '--config', shared.path, '--data', shared.path),
];

/** Positions, which are letters' numbers too, as they are in our own log. */
const renumbered = (text: string): string =>
  text
    .replace(/(?<![\d.])\d+(?![\d.])/g, (digits) => String(positions.get(Number(digits)) ?? digits))
    .replace(/ +/g, ' ');

async function answered(name: string, source: Source): Promise<string> {
  const { question } = await shipped[name]!();
  const texts = name === 'message-story' ? { id: letter } : {};
  const asking = await asked(question, toGiven(question, texts), name);
  const said: string[] = [];
  const now = start + 86_400_000;
  await walk(source, asking, { upTo: { at: now }, onLines: (lines) => said.push(...lines) });
  const answer = await asking.answer(now);
  expect(asking.parked).toBeUndefined();
  return [...said, ...(answer === undefined ? [] : toLines(answer))].join('\n');
}

describe('a question to a log in an event store', () => {
  it.each(shippedNames.map((name) => [name]))(
    'has the answer that it has here: %s',
    async (name) => {
      const here = await answered(name, office.log);
      expect(here.split('\n').length).toBeGreaterThan(1);
      expect(renumbered(await answered(name, atHand))).toBe(here.replace(/ +/g, ' '));
    },
  );

  it('is counted from an instant on, and as of a position', async () => {
    const since = ['counting', '--since', '2026-11-20T13:00'];
    expect(await ofStore(...since)).toMatch(/^9 events\nexit 0$/m);
    expect(await ofStore(...since)).toBe(await ofOwn(...since));
    const fifth = [...positions].find(([, position]) => position === 5)![0];
    expect(await ofStore('counting', '--at', String(fifth))).toMatch(/^5 events$/m);
  });

  it('goes on with what comes', async () => {
    const asked = ['ask', 'qmail-log', '--stamp', 'none', '--follow'];
    const child = run(...asked, '--config', shared.path, '--data', shared.path);
    let text = '';
    child.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const heard = (words: string) => until(() => text.includes(words), words);
    const ended = new Promise((done) => child.once('close', done));
    await heard('zoe@c.test');
    const late = await office.accept(['late@b.test']);
    await office.attempt(late, [0]);
    const events = await office.log.readStream(`message-${late}`);
    for (const { stream, revision, position: _, ...event } of events) {
      await store.log.append(stream, revision - 1, [event]);
    }
    await heard('to remote late@b.test');
    child.kill('SIGINT');
    expect([await ended, text.match(/^new msg/gm)?.length]).toEqual([0, 4]);
  });
});
