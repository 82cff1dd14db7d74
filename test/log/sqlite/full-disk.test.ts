/** No room for the log: said in so many words, nothing half written, and over when there is room. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { noStream } from '../../../src/log/ports.ts';
import { isTrouble } from '../../../src/mail/trouble.ts';
import { Child, logChildWords, works } from '../../support/children.ts';
import { newStream, noted, notedAll } from '../../support/log-events.ts';
import { Listener } from '../../support/signals.ts';
import { openAt } from '../../support/sqlite-log.ts';
import { tempDir, type TempDir } from '../../support/temp-dir.ts';

let dir: TempDir;
beforeEach(() => {
  dir = tempDir();
});
afterEach(() => dir.remove());

describe('a log that has reached its limit', () => {
  const accept = (log: ReturnType<typeof openAt>['log'], stream = newStream()) => {
    const inline = Buffer.alloc(20_000, stream);
    const ref = { id: stream.slice('message-'.length), bytes: inline.byteLength, sha256: '' };
    return log
      .append(stream, noStream, notedAll('a', 'b'), { ref, inline })
      .then(
        () => 'written',
        (cause: unknown) => (isTrouble(cause) ? cause.code : 'bug'),
      )
      .then((outcome) => ({ stream, outcome }));
  };

  it('says that it is full, keeps what it said was written, and nothing of the rest', async () => {
    const { log } = openAt(dir, { maxBytes: 512 * 1024 });
    const listener = new Listener(log.subscribe(0));
    const told: { stream: string; outcome: string }[] = [];
    while (told.filter(({ outcome }) => outcome !== 'written').length < 10) {
      told.push(...(await Promise.all([accept(log), accept(log), accept(log)])));
    }
    expect(new Set(told.map(({ outcome }) => outcome))).toEqual(new Set(['written', 'log-full']));
    for (const { stream, outcome } of told) {
      const there = await log.readStream(stream);
      expect(there).toHaveLength(outcome === 'written' ? 2 : 0);
      expect(log.readBody(stream) !== undefined).toBe(outcome === 'written');
    }
    const written = told.filter(({ outcome }) => outcome === 'written');
    const all = await log.readAll({ after: 0, limit: 10_000 });
    expect(all).toHaveLength(2 * written.length);
    expect(all.map(({ position }) => position)).toEqual(all.map((_, n) => n + 1));
    expect(await log.head()).toBe(all.length);
    await listener.untilEvents(all.length);
    expect(listener.events).toEqual(all);
    await log.close();
  });

  it('takes letters again when bodies were removed', async () => {
    const { log } = openAt(dir, { maxBytes: 512 * 1024 });
    const written: string[] = [];
    for (;;) {
      const { stream, outcome } = await accept(log);
      if (outcome !== 'written') break;
      written.push(stream);
    }
    await log.removeBodies(written);
    const { stream, outcome } = await accept(log);
    expect(outcome).toBe('written');
    const [first] = await log.readStream(stream);
    expect(first!.position).toBe(2 * written.length + 1);
    await log.close();
  });

  it('forgets a letter that was not written for want of room for its neighbour', async () => {
    const { log } = openAt(dir, { maxBytes: 256 * 1024 });
    const letter = newStream();
    const [first, neighbour] = await Promise.all([
      log.append(letter, noStream, notedAll('a')).then(
        () => 'written',
        (cause: unknown) => (isTrouble(cause) ? cause.code : 'bug'),
      ),
      log
        .append(newStream(), noStream, [noted(1, { text: 'x'.repeat(500_000) })])
        .catch((cause: unknown) => (isTrouble(cause) ? cause.code : 'bug')),
    ]);
    expect([first, neighbour]).toEqual(['log-full', 'log-full']);
    expect(await log.head()).toBe(0);
    const again = await log.append(letter, noStream, notedAll('a'));
    expect(again).toEqual({ revision: 0, position: 1 });
    expect(await log.readStream(letter)).toHaveLength(1);
    await log.close();
  });

  it('takes letters again when the limit was raised', async () => {
    const small = openAt(dir, { maxBytes: 256 * 1024 }).log;
    while ((await accept(small)).outcome === 'written');
    await small.close();
    const { log } = openAt(dir);
    expect((await accept(log)).outcome).toBe('written');
    await log.close();
  });

  it('repeats an append that failed once there is room, and a subscriber hears it once', async () => {
    const { log } = openAt(dir, { maxBytes: 256 * 1024 });
    const listener = new Listener(log.subscribe(0));
    const written: string[] = [];
    let last = await accept(log);
    for (; last.outcome === 'written'; last = await accept(log)) written.push(last.stream);
    await log.removeBodies(written);
    expect(await accept(log, last.stream)).toEqual({ ...last, outcome: 'written' });
    await log.append(last.stream, 1, [noted('c')]);
    await listener.untilEvents(2 * written.length + 3);
    expect(listener.events.slice(-3).map(({ revision }) => revision)).toEqual([0, 1, 2]);
    await log.close();
  });
});

describe('a disk that is full', () => {
  const mounts = works('unshare', '-rm', 'sh', '-c', 'mount -t tmpfs tmpfs /tmp');
  (mounts ? it : it.skip)(
    'makes letters wait, loses none that was taken, and is forgiven when there is room',
    async () => {
      // A small disk of its own, seen by this one process and gone with it.
      const mount = 'mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"';
      const child = new Child([
        'unshare',
        '-rm',
        'sh',
        '-c',
        mount,
        dir.path,
        ...logChildWords('fill', dir.path),
      ]);
      expect([await child.end(), child.errors]).toEqual([0, '']);
      const said = (word: string) =>
        child.lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.split(' ')[1]);
      expect(said('refused')).toEqual(['log-full', 'log-full', 'log-full']);
      expect(said('written').length).toBeGreaterThan(5);
      expect(child.lines.indexOf('room')).toBeLessThan(
        child.lines.findLastIndex((line) => line.startsWith('written')),
      );
      expect(said('found')).toEqual(said('written'));
      expect(said('damages')).toEqual(['0']);
    },
  );
});
