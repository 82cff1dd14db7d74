/** Who has whose letters, kept over a restart. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LeaseEvent } from '../../src/nodes/events.ts';
import { leaseStream } from '../../src/nodes/events.ts';
import { Ledger } from '../../src/nodes/ledger.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { noStream, type RecordedEvent } from '../../src/log/ports.ts';
import { openLetters } from '../../src/queue/letters.ts';
import { nodeJson, nodeRows, nodeText } from '../../src/trace/node-lines.ts';
import { everything, settle } from '../support/post-office.ts';
import { accept, birth } from '../support/queue-mail.ts';
import { idOf } from '../support/random-letters.ts';
import { ScavengedLog } from '../support/scavenged-log.ts';

let directory: string;
let file: string;
let log: MemoryLog;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ledger-'));
  file = join(directory, 'nodes');
  log = new MemoryLog();
});
afterEach(() => rmSync(directory, { recursive: true }));

const opened = (node: string): LeaseEvent => ({
  ...{ type: 'LeaseOpened', v: 1, at: birth },
  data: { node, beatMs: 5_000, ttlMs: 30_000 },
});

/** One has three letters, of which two has adopted the first; the fourth is nobody's. */
async function someMail(): Promise<void> {
  const letters = openLetters({ log });
  for (const node of ['one', 'two']) await log.append(leaseStream(node), noStream, [opened(node)]);
  for (const no of [1, 2, 3]) {
    await letters.handle(idOf(no), { ...accept('a@b.test'), owner: 'one' });
  }
  await letters.handle(idOf(4), accept('a@b.test'));
  const taken = { by: 'two', why: 'silent' } as const;
  await log.append(leaseStream('one'), 0, [{ type: 'LeaseTaken', v: 1, at: birth, data: taken }]);
  await letters.handle(idOf(1), { type: 'AdoptMessage', by: 'two', from: 'one', at: birth });
}

async function follow(ledger: Ledger): Promise<Ledger> {
  const from = await ledger.restore();
  log.subscribe(from).subscribe((signal) => ledger.hear(signal));
  await settle();
  return ledger;
}

const view = ({ owners, leases, position }: Ledger) => ({
  ...{ position, leases: [...leases.values()] },
  letters: owners.owners().map((owner) => [owner, ...owners.of(owner)]),
});

const last = async (): Promise<RecordedEvent> => (await everything(log)).at(-1)!;

describe('the ledger of nodes and letters', () => {
  it('is the same from its checkpoint as from the first event', async () => {
    await someMail();
    const whole = await follow(new Ledger({ log, file }));
    expect(view(whole).letters).toEqual([
      ['one', idOf(2), idOf(3)],
      ['', idOf(4)],
      ['two', idOf(1)],
    ]);
    writeFileSync(file, Buffer.concat(whole.checkpoint(await last())));
    await openLetters({ log }).handle(idOf(5), { ...accept('a@b.test'), owner: 'two' });
    await settle();
    const again = await follow(new Ledger({ log, file }));
    expect(again.position).toBe(whole.position);
    expect(new Map(again.leases)).toEqual(new Map(whole.leases));
    for (const owner of ['one', 'two', '']) {
      expect([...again.owners.of(owner)].sort()).toEqual([...whole.owners.of(owner)].sort());
    }
  });

  it('throws a checkpoint away that is damaged, or of another log', async () => {
    await someMail();
    const ledger = await follow(new Ledger({ log, file }));
    const good = Buffer.concat(ledger.checkpoint(await last()));
    for (const bad of [
      good.subarray(0, good.length - 10),
      Buffer.from(good.toString().replace('"two"', '"six"')),
      Buffer.from('{}\n'),
    ]) {
      writeFileSync(file, bad);
      const why: string[] = [];
      const again = new Ledger({ log, file, onThrownAway: (words) => why.push(words) });
      expect(await again.restore()).toBe(0);
      expect([why.length, again.leases.size]).toEqual([1, 0]);
    }
    writeFileSync(file, good);
    expect(await new Ledger({ log, file }).restore()).toBe(ledger.position);
    expect(await new Ledger({ log: new MemoryLog(), file }).restore()).toBe(0);
  });

  it('tells nobody of what its checkpoint has, though the agenda’s may be older and hear it again', async () => {
    await someMail();
    const whole = await follow(new Ledger({ log, file }));
    writeFileSync(file, Buffer.concat(whole.checkpoint(await last())));
    const heardOf: string[] = [];
    const again = new Ledger({ log, file, onLetter: (message) => heardOf.push(message) });
    again.heard$.subscribe(({ kind }) => heardOf.push(kind));
    await again.restore();
    for (const event of await everything(log)) again.hear({ kind: 'event', event });
    expect(heardOf).toEqual([]);
    expect(view(again)).toEqual(view(whole));
  });

  it('goes on from a checkpoint whose last event is gone: old beats go', async () => {
    await someMail();
    const scavenged = new ScavengedLog(log, 2);
    const beat = (revision: number) =>
      scavenged.append(leaseStream('two'), revision, [
        { type: 'LeaseBeat', v: 1, at: birth + revision, data: { count: 1, open: 0, position: 0 } },
      ]);
    await scavenged.keepYoungest(leaseStream('two'), 2);
    await beat(0);
    const ledger = await follow(new Ledger({ log, file }));
    const { position } = await last();
    writeFileSync(file, Buffer.concat(ledger.checkpoint(await last())));
    for (let revision = 1; revision < 5; revision += 1) await beat(revision);
    await scavenged.scavenge(() => true);
    const why: string[] = [];
    const onThrownAway = (words: string) => why.push(words);
    const again = new Ledger({ log: scavenged, file, onThrownAway });
    expect([await again.restore(), why]).toEqual([position, []]);
    scavenged.subscribe(again.position).subscribe((signal) => again.hear(signal));
    await settle();
    expect(again.leases.get('two')!.revision).toBe(5);
    // Another log may have no event there, too.
    const other = new Ledger({ log: new MemoryLog(), file, onThrownAway });
    expect([await other.restore(), why.length]).toEqual([0, 1]);
  });

  it('is told to a person: who works, who is silent, where letters go', async () => {
    await someMail();
    const ledger = await follow(new Ledger({ log }));
    const rows = nodeRows(ledger, 0);
    expect(rows.map((row) => nodeText(row, birth + 60_000))).toEqual([
      'one  one: ended, taken by two (silent) 2026-01-01T00:00:00Z; 2 letters on their way to two',
      'two  two: working since 2026-01-01T00:00:00Z, heard 1 min ago: silent; 1 letter',
    ]);
    expect(nodeJson(rows[0]!)).toMatchObject({
      ...{ incarnation: 'one', node: 'one', status: 'taken', letters: 2, heir: 'two' },
    });
    const gone = { type: 'LeaseDeclaredGone', v: 1, at: birth } as const;
    const data = { by: 'op\u001b[2J', why: 'flooded' };
    await log.append(leaseStream('one'), 1, [{ ...gone, data }]);
    await follow(ledger);
    expect(nodeText(nodeRows(ledger, 0)[0]!, birth)).toMatch(
      /on their way to two; declared gone by op[^\u001b]+ \(flooded\)$/,
    );
    expect(nodeJson(nodeRows(ledger, 0)[0]!)).toMatchObject({ declared: data });
    for (const no of [2, 3]) ledger.owners.delete(idOf(no));
    expect(nodeRows(ledger, 0).map(({ lease }) => lease.node)).toEqual(['two']);
    expect(nodeRows(ledger, 1).map(({ lease }) => lease.node)).toEqual(['one', 'two']);
  });
});
