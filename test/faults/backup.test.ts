/** A backup taken while letters come and go, and a machine that is set up from it after the first one burnt down. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from '../../src/log/ports.ts';
import { freePort, makeEngine, type Engine } from '../support/engine.ts';
import { load, openLedger, tokenOf, type Ledger } from '../support/ledger.ts';
import { readLog } from '../support/read-log.ts';
import { openSink, type Sink } from '../support/sink.ts';
import { until } from '../support/until.ts';

let sink: Sink;
const engines: Engine[] = [];

beforeEach(async () => {
  sink = await openSink(await freePort());
});
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.remove();
  await sink.shut();
});

async function machine(control: Readonly<Record<string, string>> = {}): Promise<Engine> {
  const smtproutes = `sink.test:127.0.0.1:${sink.port}\n`;
  const engine = await makeEngine({ control: { smtproutes, ...control } });
  engines.push(engine);
  return engine;
}

const logOf = ({ dataDir }: Engine) => join(dataDir, 'log/waybill.db');

/** As `sqlite3 data/log/waybill.db '.backup FILE'` does it. */
async function backUp(from: Engine, to: Engine): Promise<void> {
  mkdirSync(join(to.dataDir, 'log'), { recursive: true });
  const db = new DatabaseSync(logOf(from), { readOnly: true });
  await backup(db, logOf(to));
  db.close();
}

const ended = (events: readonly RecordedEvent[]) =>
  new Set(
    events
      .filter(({ type }) => type === 'MessageCleanedUp')
      .map(({ stream }) => stream.slice('message-'.length)),
  );
/** How often each letter has come to the sink, by its token. */
function arrivals(): Map<string, number> {
  const times = new Map<string, number>();
  for (const { body } of sink.letters) {
    const token = tokenOf(body)!;
    times.set(token, (times.get(token) ?? 0) + 1);
  }
  return times;
}

/** Letters for two seconds, some of which the sink puts off; a backup to `spare` in the middle of it. */
async function busyAfternoon(engine: Engine, spare: Engine): Promise<Ledger> {
  const ledger = openLedger();
  const enough = 400;
  sink.answers = { data: ({ recipients: [to] }) => (/[05]@/.test(to!) ? '451 later' : '250 ok') };
  const loading = load(ledger, {
    ...{ port: engine.port, sessions: 8, from: 'demo@demo.test', bodyBytes: 2_000 },
    to: (n) => `u${n}@sink.test`,
    goOn: () => ledger.accepted.size < enough,
  });
  await until(() => ledger.accepted.size > enough / 3, 'letters');
  await backUp(engine, spare);
  const size = ledger.accepted.size;
  await loading;
  expect(size).toBeLessThan(enough);
  await until(() => sink.letters.length > enough / 2, 'deliveries after the backup');
  await engine.kill('start', 'queue', 'door', 'remote', 'local');
  return ledger;
}

const isOver = (events: readonly RecordedEvent[]) =>
  ended(events).size === events.filter(({ type }) => type === 'MessageAccepted').length;

describe('a backup taken under load', () => {
  it('is the log up to some event, whole; a machine made of it waits for a word, and sends nothing again that was done by then', async () => {
    const none = { concurrencyremote: '0\n', concurrencylocal: '0\n' };
    const [first, second] = [await machine(), await machine(none)];
    await first.start();
    const ledger = await busyAfternoon(first, second);
    const whole = await readLog(first.dataDir);
    const kept = await readLog(second.dataDir);
    expect(kept.length).toBeGreaterThan(100);
    expect(kept).toEqual(whole.slice(0, kept.length));

    // Without slots it can be looked at: nothing is sent, and an operator takes out what he knows to be done.
    const before = arrivals();
    sink.answers = {};
    await second.start();
    second.signal('SIGALRM');
    await sleep(300);
    expect(arrivals()).toEqual(before);
    const open = kept
      .filter(({ type }) => type === 'MessageAccepted')
      .map(({ stream }) => stream.slice('message-'.length))
      .filter((id) => !ended(kept).has(id));
    const known = open.find((id) => ended(whole).has(id))!;
    const why = ['--why', 'delivered by the old machine'];
    expect(await second.waybill('cancel', known, ...why)).toMatchObject({ code: 0 });

    for (const name of Object.keys(none)) rmSync(join(second.configDir, 'control', name));
    second.signal('SIGHUP');
    await until(async () => {
      second.signal('SIGALRM');
      await sleep(100);
      return isOver(await readLog(second.dataDir));
    }, 'all its letters to end');
    expect(await second.waybill('verify')).toMatchObject({ code: 0 });

    const after = arrivals();
    const times = (token: string) => (after.get(token) ?? 0) - (before.get(token) ?? 0);
    // Done by then: never again. Open then: sent from here, even if the old machine sent it, too. Later: unknown here.
    for (const [token, id] of ledger.accepted)
      expect([id, times(token)]).toEqual([id, open.includes(id) && id !== known ? 1 : 0]);
  });
});
