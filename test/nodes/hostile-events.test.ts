/** Events that none of ours wrote, in an event store that takes them from whoever knows its password. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { empty as emptyAgenda, fold as foldAgenda } from '../../projections/agenda.ts';
import { encodeAgenda } from '../../projections/agenda-checkpoint.ts';
import { oddityOf } from '../../src/log/event-shapes.ts';
import { nodesPage } from '../../src/desk/pages/nodes-page.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import type { RecordedEvent } from '../../src/log/ports.ts';
import {
  empty as emptyLeases,
  fold as foldLease,
  heirOf,
  isSurelyOver,
} from '../../src/nodes/leases.ts';
import { personal as ofNodes } from '../../src/nodes/events.ts';
import { Ledger } from '../../src/nodes/ledger.ts';
import { personal as ofLetters } from '../../src/queue/events.ts';
import { nodeJson, nodeRows, nodeText } from '../../src/trace/node-lines.ts';
import { toAsciiJson } from '../../src/trace/json.ts';
import { fold as foldViews, noChanges } from '../../src/views/fold.ts';

const id = '01a1fec5-0000-7000-8000-00000000000a';

const field = fc.constantFrom(
  ...['node', 'beatMs', 'ttlMs', 'home', 'lease', 'open', 'by', 'why', 'owner', 'incarnation'],
  ...['status', 'taken', 'declared', 'revision', 'rcpts', 'rcpt', 'routes', 'envelope', 'body'],
);
const data = fc.oneof(fc.jsonValue(), fc.dictionary(field, fc.jsonValue()));
const stream = fc.oneof(
  fc.constantFrom(`lease-${id}`, `fence-${id}`, `message-${id}`, `node-${id}`, 'door-smtp-1'),
  fc.string().map((name) => `lease-${name}`),
  fc.string().map((name) => `message-${name}`),
);
const hostile: fc.Arbitrary<readonly RecordedEvent[]> = fc
  .array(
    fc.record({
      type: fc.constantFrom(...Object.keys(ofNodes), ...Object.keys(ofLetters), 'Xyzzy'),
      v: fc.integer(),
      at: fc.oneof(fc.integer(), fc.constantFrom(9_999_999_999_999_999, -9_999_999_999_999_999)),
      ...{ data, stream },
    }),
    { maxLength: 12 },
  )
  .map((events) => events.map((event, no) => ({ ...event, revision: no, position: no + 1 })));

function ledgerOf(events: readonly RecordedEvent[]): Ledger {
  const ledger = new Ledger({ log: new MemoryLog() });
  for (const event of events) ledger.hear({ kind: 'event', event });
  return ledger;
}

const opened = (incarnation: string, revision = 0): RecordedEvent => ({
  ...{ type: 'LeaseOpened', v: 1, at: 1_000, revision, position: revision + 1 },
  ...{ stream: `lease-${incarnation}`, data: { node: 'mail-1', beatMs: 5_000, ttlMs: 30_000 } },
});

describe('events that nobody of ours wrote', () => {
  it('stop no ledger of nodes, spoil no checkpoint, and can be shown', () => {
    fc.assert(
      fc.property(hostile, (events) => {
        const ledger = ledgerOf(events);
        for (const row of nodeRows(ledger, 20)) {
          expect(nodeText(row, 2_000)).not.toMatch(/[\x00-\x1f\x7f]/);
          expect(toAsciiJson(nodeJson(row))).toMatch(/^\{/);
        }
        const nodes = nodeRows(ledger, 20).map(({ lease, letters, heir }) => {
          const { node, status, openedAt, ...others } = lease;
          return { node, status, letters, openedAt, lease: { ...others, heir } };
        });
        expect(() => nodesPage({ nodes, ofNobody: 0, now: 2_000 })).not.toThrow();
        const written = Buffer.concat(ledger.checkpoint(events.at(-1) ?? opened('a')));
        const [head = '', ...lines] = written.toString().split('\n');
        const { owners } = JSON.parse(head) as { readonly owners: readonly [string, number][] };
        // One line a letter, and the sum.
        expect(lines).toHaveLength(owners.reduce((sum, [, count]) => sum + count, 0) + 1);
      }),
    );
  });

  it('stop no engine and no view where an event store is read', () => {
    fc.assert(
      fc.property(hostile, (events) => {
        const agenda = emptyAgenda();
        const changes = noChanges();
        for (const event of events) {
          if (oddityOf(event) !== undefined) continue;
          foldAgenda(agenda, event);
          foldViews(changes, event, () => undefined);
        }
        expect(() => encodeAgenda(agenda, events.at(-1) ?? opened('a'))).not.toThrow();
      }),
    );
  });

  it('take nothing from a lease that stands there', () => {
    const word = { ...opened('a', 1), data: { node: 5, status: 'taken', incarnation: 'b' } };
    const beat = { ...opened('a', 2), type: 'LeaseBeat', data: null };
    const [row] = nodeRows(ledgerOf([opened('a'), word, beat]), 20);
    expect(row?.lease).toMatchObject({
      ...{ incarnation: 'a', node: 'mail-1', status: 'open', revision: 2 },
    });
  });

  it('are believed as far as they go, where a newer release wrote them', () => {
    const taken = { type: 'LeaseTaken', v: 2, at: 2_000, data: { by: 'b', why: 'bored', how: 1 } };
    const ledger = ledgerOf([
      ...[opened('a'), { ...opened('a', 1), ...taken }],
      { ...opened('b', 2), data: { node: 'mail-2', beatMs: 1, ttlMs: 1, region: 'north' } },
    ]);
    expect(heirOf(ledger.leases, 'a')).toBe('b');
    // A reason that we do not know does not prove that nothing is under way.
    expect(isSurelyOver(ledger.leases, 'a')).toBe(false);
    expect(ledger.leases.get('b')).not.toHaveProperty('region');
  });

  it('have names that reach neither a terminal nor a file', () => {
    const leases = emptyLeases();
    for (const name of ['\u001b[2J', 'a\nb', '', 'x'.repeat(101)]) {
      foldLease(leases, { ...opened(name), type: 'LeaseOpened' } as never);
    }
    expect(leases.size).toBe(0);
  });
});
