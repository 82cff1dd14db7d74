import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { move } from '../../src/moving/move.ts';
import { SqliteLog } from '../../src/log/sqlite/sqlite-log.ts';
import { waybill } from '../cli/run.ts';
import { StandIn } from '../support/kurrent/stand-in.ts';
import { openLogAt } from '../support/kurrent/open.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';
import {
  eventsOf,
  inDirectory,
  memoryRoom,
  moveBetween,
  onServer,
  someLetters,
  tamper,
} from './sides.ts';

let here: TempDir;
let there: TempDir;
beforeEach(() => {
  here = tempDir();
  there = tempDir();
});
afterEach(() => {
  here.remove();
  there.remove();
});

const between = () => [inDirectory(here.path).source(), inDirectory(there.path).target()] as const;
const told = (n: number) => ({ type: 'Told', v: 1, at: n, data: { n } });

/** Six letters, three of them done, and what a node said in between. */
async function layHere(): Promise<readonly string[]> {
  const room = inDirectory(here.path).target();
  await room.append([{ stream: 'node-a', expected: -1, events: [told(0)] }]);
  const ids = await someLetters(room, 6);
  await room.append([{ stream: 'node-a', expected: 0, events: [told(1), told(2)] }]);
  await room.close();
  return ids;
}

const rowOf = (id: string, revision: number) =>
  `WHERE stream = x'${id.replaceAll('-', '')}' AND rev = ${revision}`;

describe('a damaged log', () => {
  it('is not moved, and what is damaged is named', async () => {
    const ids = await layHere();
    tamper(here.path, `UPDATE event SET data = '{}' ${rowOf(ids[0]!, 1)}`);
    await expect(moveBetween(between)).rejects.toMatchObject({
      code: 'refused',
      tryAgain: false,
      message: expect.stringMatching(/damaged: event 3 of message-.*checksum.*--leave-damaged/),
    });
    const opened = inDirectory(there.path).source();
    expect(await opened.log.head()).toBe(0);
    await opened.close();
  });

  it.each([
    ['its last event', 'UPDATE event SET sum = sum + 1', 1],
    ['its first event', 'DELETE FROM event', 0],
  ])('is moved without a letter that has lost %s, when asked to', async (_, lose, revision) => {
    const ids = await layHere();
    tamper(here.path, `${lose} ${rowOf(ids[4]!, revision)}`);
    const moved = await moveBetween(between, { leaveDamaged: true });
    expect(moved.left).toEqual({
      streams: [`message-${ids[4]!}`],
      lost: 0,
      unknown: 0,
      bodies: [],
    });
    expect(moved.events).toBe(22);
    const verified = waybill(there.path, 'verify');
    expect(verified.stdout).toContain('5 letters accepted: 3 done, 2 open');
    expect(verified.code).toBe(0);
    const again = await moveBetween(between, { leaveDamaged: true });
    expect(again).toMatchObject({ end: 'complete', copied: 0, digest: moved.digest });
  });

  it('tells that nobody knows of which letter an event is lost that nothing follows', async () => {
    const ids = await layHere();
    tamper(here.path, `DELETE FROM event ${rowOf(ids[4]!, 1)}`);
    const { left } = await moveBetween(between, { leaveDamaged: true });
    expect(left).toEqual({ streams: [], lost: 0, unknown: 1, bodies: [] });
  });

  it('keeps the revisions of other streams with a word in place of what is lost', async () => {
    await layHere();
    tamper(here.path, "DELETE FROM event WHERE stream = 'node-a' AND rev = 1");
    const moved = await moveBetween(between, { leaveDamaged: true });
    expect(moved.left).toEqual({ streams: [], lost: 1, unknown: 0, bodies: [] });
    const opened = inDirectory(there.path).source();
    const events = await opened.log.readStream('node-a');
    expect(events.map(({ type }) => type)).toEqual(['Told', 'EventLost', 'Told']);
    await opened.close();
    expect(waybill(there.path, 'verify').code).toBe(0);
  });

  it('is not moved without the body of a letter that is not done, unless that is asked for', async () => {
    const ids = await layHere();
    tamper(
      here.path,
      'DELETE FROM body WHERE bid = (SELECT pos FROM event ' + rowOf(ids[0]!, 0) + ')',
    );
    await expect(moveBetween(between)).rejects.toMatchObject({
      code: 'body-missing',
      tryAgain: false,
      message: expect.stringContaining(`letter ${ids[0]!} is not done, and its body is missing`),
    });
    const moved = await moveBetween(between, { leaveDamaged: true });
    expect(moved).toMatchObject({ end: 'complete', left: { bodies: [ids[0]!] } });
  });

  it('is noticed when the body at the other place is not what was stored', async () => {
    const ids = await layHere();
    await moveBetween(between);
    tamper(there.path, `UPDATE body SET content = zeroblob(100)`);
    await expect(moveBetween(between, { verifyOnly: true })).rejects.toMatchObject({
      code: 'body-damaged',
      message: expect.stringContaining(ids[0]!),
    });
  });
});

describe('a place that holds another log', () => {
  it('is refused, and left as it was; the first difference is named', async () => {
    const [source, target] = [memoryRoom(), memoryRoom()];
    await someLetters(source, 3);
    await someLetters(target, 2);
    await target.held.append('node-b', -1, [told(0)]);
    const before = await eventsOf(target);
    await expect(move(source, target, {})).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(
        /at position 8 the target has Told \(event 0 of node-b\), where the source has MessageAccepted/,
      ),
    });
    expect(await eventsOf(target)).toEqual(before);
  });

  it('is refused when it goes on where the source ends, or says something else', async () => {
    const [source, target] = [memoryRoom(), memoryRoom()];
    await source.held.append('node-a', -1, [told(0)]);
    await target.held.append('node-a', -1, [told(0), told(1)]);
    await expect(move(source, target, {})).rejects.toThrow('the source has nothing more');
    const other = memoryRoom();
    await other.held.append('node-a', -1, [{ ...told(0), data: { n: 'other' } }]);
    await expect(move(source, other, {})).rejects.toThrow('with other contents');
  });
});

describe('a log whose engine runs', () => {
  it('is moved up to where it was, and that is said', async () => {
    await layHere();
    const engine = new SqliteLog(here.file('log/waybill.db'));
    const moved = await moveBetween(between);
    expect(moved).toMatchObject({ end: 'running', events: 24 });
    await engine.close();
    expect(await moveBetween(between)).toMatchObject({ end: 'complete', copied: 0 });
  });

  it('is no place to move to', async () => {
    await layHere();
    await moveBetween(between);
    const engine = new SqliteLog(there.file('log/waybill.db'));
    await expect(moveBetween(between)).rejects.toMatchObject({ code: 'log-in-use' });
    await engine.close();
  });

  it('is known in an event store by a node that still says something within its time', async () => {
    const server = await new StandIn().start();
    const { log, close } = openLogAt(server.url());
    const data = { node: 'mail-1', beatMs: 100, ttlMs: 2_000 };
    await log.append('lease-a', -1, [{ type: 'LeaseOpened', v: 1, at: 0, data }]);
    let isBeating = true;
    const beat = async (): Promise<void> => {
      for (let count = 0; isBeating; count += 1) {
        const event = { type: 'LeaseBeat', v: 1, at: count, data: { count, open: 0 } };
        await log.append('lease-a', count, [event]);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const beating = beat();
    const side = onServer(server);
    const first = await moveBetween(async () => [await side.source(), memoryRoom()]);
    expect(first).toMatchObject({ end: 'running', writer: 'node mail-1 works on it' });
    isBeating = false;
    await beating;
    const second = await moveBetween(async () => [await side.source(), memoryRoom()]);
    expect(second).toMatchObject({ end: 'complete' });
    await close();
    await server.stop();
  });
});

describe('waybill log copy', () => {
  const run = (...args: readonly string[]) => waybill(here.path, 'log', 'copy', ...args);

  it('says what was moved, as words and as JSON', async () => {
    await layHere();
    const words = run('--from', 'sqlite', '--to', `sqlite:${there.path}`);
    expect(words).toMatchObject({ code: 0, stderr: '' });
    expect(words.stdout).toContain(
      '24 events the same on both sides, in the same order, 24 of them',
    );
    expect(words.stdout).toContain('3 bodies of letters that are not done read and compared, 3 ');
    expect(words.stdout).toContain('All is there.');
    const json = run('--from', 'sqlite', '--to', `sqlite:${there.path}`, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ result: { end: 'complete', events: 24 } });
  });

  it.each([
    [['--to', 'sqlite:x'], '--from names no log'],
    [['--from', 'tuesday 02:00', '--to', 'sqlite:x'], '--from names no log'],
    [['--from', 'sqlite', '--to', 'nowhere'], '"nowhere" is no place'],
    [['--from', './data', '--to', 'sqlite:x'], '"./data" is no place'],
    [['--from', 'sqlite', '--to', 'sqlite:'], 'no directory is named'],
    [['--from', 'sqlite', '--to', 'sqlite:/dev/null'], '/dev/null is no directory'],
    [['--from', 'sqlite', '--to', 'kurrentdb'], 'the configuration has no [log] url'],
    [['--from', 'sqlite', '--to', 'kurrentdb://u:p@h?tls=false'], 'without TLS the client'],
  ])('refuses %j for ever', async (args, words) => {
    await layHere();
    const { code, stderr } = run(...args);
    expect(stderr).toContain(words);
    expect(stderr).not.toContain('u:p');
    expect(code).toBe(100);
  });

  it('refuses to move a log onto itself, or what is not there', async () => {
    await layHere();
    expect(run('--from', 'sqlite', '--to', `sqlite:${here.path}/.`).stderr).toContain('same place');
    const { code, stderr } = run('--from', `sqlite:${there.path}`, '--to', 'sqlite');
    expect(stderr).toContain(`there is no log in ${there.path}`);
    expect(code).toBe(100);
  });

  it('leaves --from of waybill log what it was', async () => {
    await layHere();
    expect(waybill(here.path, 'log', '--from', '24').stdout.split('\n')).toHaveLength(2);
    expect(waybill(here.path, 'log', '--from', 'sqlite')).toMatchObject({ code: 100 });
  });
});
