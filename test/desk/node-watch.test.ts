/** What the desk knows of the nodes that share its log: followed, kept over restarts, never believed blindly. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Subscription } from 'rxjs';
import { watchNodes, type NodeWatch } from '../../src/desk/node-watch.ts';
import { stateOfNode } from '../../src/desk/pages/nodes-page.ts';
import type { FollowedLog } from '../../src/log/consumer.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { noStream } from '../../src/log/ports.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const [one, two] = ['01a1fec4-43a5-7000-8000-000000000001', '01a1fec4-43a9-7000-8000-000000000002'];
const letter = '01a1fec5-0000-7000-8000-00000000000a';
const body = { id: letter, bytes: 1, sha256: '0'.repeat(64) };

let dir: TempDir;
let log: MemoryLog;
let version: number;
/** Positions that were read after. */
let read: number[];
let asked: number;
let following: Subscription | undefined;
beforeEach(() => {
  dir = tempDir();
  log = new MemoryLog(new Map());
  [version, read, asked] = [0, [], 0];
});
afterEach(() => {
  following?.unsubscribe();
  following = undefined;
  dir.remove();
});

const followed = (): FollowedLog => ({
  readStream: (...given) => log.readStream(...given),
  readAll: (given) => {
    read.push(given.after ?? 0);
    return log.readAll(given);
  },
  head: () => log.head(),
  subscribe: (from) => log.subscribe(from),
  damages: () => [],
  version: () => version,
});

async function tell(stream: string, type: string, data: object, at = 1_000): Promise<void> {
  const [last] = await log.readStream(stream, { direction: 'backwards', limit: 1 });
  await log.append(stream, last?.revision ?? noStream, [{ type, v: 1, at, data }]);
  version += 1;
}

const opens = (incarnation: string, node: string) =>
  tell(`lease-${incarnation}`, 'LeaseOpened', { node, beatMs: 5_000, ttlMs: 30_000 });

const accepts = (id: string, owner: string) =>
  tell(`message-${id}`, 'MessageAccepted', {
    ...{ envelope: { returnPath: '', recipients: ['a@b.test'] }, body, owner },
    arrival: { protocol: 'ESMTP' },
  });

function watch(): NodeWatch {
  const source = followed();
  const watched = watchNodes({
    log: source,
    nodeStreams: async () => {
      asked += 1;
      const all = await log.readAll({ limit: 1_000 });
      return new Set(all.map(({ stream }) => stream).filter((name) => name.startsWith('node-')));
    },
  });
  const parts = { log: source, directory: dir.path, rest: async () => undefined };
  following = watched.consumer.follow({ ...parts, logger: silentLogger }).subscribe();
  return watched;
}

async function known(watched: NodeWatch) {
  await until(
    () =>
      watched.nodes.rows().then(
        () => true,
        () => false,
      ),
    'the nodes',
  );
  return watched.nodes.rows();
}

async function stopped(): Promise<void> {
  following?.unsubscribe();
  await until(() => readdirSync(dir.path).includes('nodes'), 'a checkpoint');
  read.length = 0;
}

describe('the nodes of a log', () => {
  it('are there with their letters, and with who took whose', async () => {
    await opens(one, 'mail-1');
    await accepts(letter, one);
    await opens(two, 'mail-2');
    const watched = watch();
    const { nodes } = await known(watched);
    expect(nodes.map(({ node, letters }) => [node, letters])).toEqual([
      ['mail-1', 1],
      ['mail-2', 0],
    ]);
    expect(watched.nodes.nameOf(watched.nodes.ownerOf(letter)!)).toBe('mail-1');
    expect(stateOfNode(nodes[0]!, 31_000).words).toBe('working');
    expect(stateOfNode(nodes[0]!, 31_001).words).toBe('silent');

    await tell(`lease-${one}`, 'LeaseTaken', { by: two, why: 'silent' });
    await tell(`message-${letter}`, 'MessageAdopted', { by: two, from: one });
    await until(() => watched.nodes.ownerOf(letter) === two, 'the letter to be adopted');
    const after = (await known(watched)).nodes;
    expect(after.map((node) => [stateOfNode(node, 1_000).words, node.letters])).toEqual([
      ['ended', 0],
      ['working', 1],
    ]);
    expect(after[0]!.lease!.heir).toBe(two);
  });

  it('are known at once after a restart, without the log from its start', async () => {
    await opens(one, 'mail-1');
    await tell('node-mail-1-a', 'ControlsLoaded', { digest: 'd', files: { me: 'a.test\n' } });
    await accepts(letter, one);
    await known(watch());
    await stopped();
    const again = watch();
    expect((await known(again)).nodes).toEqual([expect.objectContaining({ letters: 1 })]);
    expect(Math.min(...read)).toBeGreaterThan(0);
    expect((await again.history()).newest?.files).toEqual({ me: 'a.test\n' });
    expect(asked).toBe(0);
  });

  it.each([
    ['a checkpoint that is damaged', 'nodes', (text: string) => text.replace('mail-1', 'mail-9')],
    ['a list of streams that is none', 'node-streams', () => '{"position":'],
    ['an older list of streams', 'node-streams', () => '{"position":1,"streams":[]}'],
  ])('are read again with %s', async (_, name, spoil) => {
    await opens(one, 'mail-1');
    await tell('node-mail-1-a', 'ControlsLoaded', { digest: 'd', files: {} });
    await accepts(letter, one);
    await known(watch());
    await stopped();
    const file = `${dir.path}/${name}`;
    writeFileSync(file, spoil(readFileSync(file, 'utf8')));
    const again = watch();
    expect((await known(again)).nodes.map(({ node, letters }) => [node, letters])).toEqual([
      ['mail-1', 1],
    ]);
    expect((await again.history()).loads).toHaveLength(1);
  });
});

describe('the rules of the day', () => {
  it('are asked of the server while the log is still being read, and come along afterwards', async () => {
    await tell('node-mail-1-a', 'ControlsLoaded', { digest: 'd1', files: { me: 'a.test\n' } });
    const watched = watch();
    following!.unsubscribe();
    following = undefined;
    expect((await watched.history()).loads).toHaveLength(1);
    await watched.history();
    expect(asked).toBe(1);
    const follower = watch();
    await known(follower);
    expect((await follower.history()).loads).toHaveLength(1);
    await tell('node-mail-1-a', 'ControlsLoaded', { digest: 'd2', files: { me: 'b.test\n' } });
    await tell('node-mail-2-a', 'ControlsLoaded', { digest: 'd1', files: { me: 'a.test\n' } });
    await until(async () => (await follower.history()).loads?.length === 3, 'the new rules');
    const { newest, rules } = await follower.history();
    expect([newest?.digest, rules.size]).toEqual(['d1', 2]);
    const upTo = (await log.readStream('node-mail-1-a'))[1]!.position;
    expect((await follower.history(upTo)).newest?.digest).toBe('d2');
  });
});
