/** Letters that go in circles: each circle ends, and somebody is told once. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from '../../src/log/ports.ts';
import { makeEngine, type Engine } from '../support/engine.ts';
import { readLog } from '../support/read-log.ts';
import { handIn, idIn } from '../support/smtp-talk.ts';
import { until } from '../support/until.ts';

let engine: Engine;

beforeAll(async () => {
  engine = await makeEngine({
    files: {
      'alias/.qmail-ann': '&bob@demo.test\n',
      'alias/.qmail-bob': '&ann@demo.test\n',
      'alias/.qmail-postmaster': '&postmaster@demo.test\n',
    },
    control: { doublebouncehost: 'demo.test\n' },
  });
  // Two hosts that each think the other has the mail: played by one, which routes it to itself.
  const routes = `round.test:127.0.0.1:${engine.port}\n`;
  writeFileSync(join(engine.configDir, 'control/smtproutes'), routes);
  await engine.start();
});
afterAll(() => engine.remove());

/** How often each type of event came, from this letter's acceptance until nothing was open any more. */
async function afterLetter(from: string, to: string) {
  const draft = { from, to: [to], body: 'Subject: round\r\n\r\nand round\r\n' };
  const first = `message-${idIn(await handIn(engine.port, draft))}`;
  let events: readonly RecordedEvent[] = [];
  const count = (wanted: string) => events.filter(({ type }) => type === wanted).length;
  await until(async () => {
    events = await readLog(engine.dataDir);
    return count('MessageAccepted') === count('MessageCleanedUp');
  }, 'all letters to end');
  events = events.slice(events.findIndex(({ stream }) => stream === first));
  const types = ['MessageAccepted', 'BounceQueued', 'BounceDiscarded'] as const;
  return Object.fromEntries(types.map((type) => [type, count(type)]));
}

const mail = () => engine.maildir('demo').map((path) => readFileSync(path, 'utf8'));

describe('a letter that goes in a circle', () => {
  it('of forwards is bounced once, to whoever sent it', async () => {
    const events = await afterLetter('demo@demo.test', 'ann@demo.test');
    // To ann, to bob, to ann again; and the bounce.
    expect(events).toEqual({ MessageAccepted: 4, BounceQueued: 1, BounceDiscarded: 0 });
    expect(mail()).toEqual([
      expect.stringMatching(
        /<ann@demo\.test>:\nThis message is looping: it already has my Delivered-To line/,
      ),
    ]);
  });

  it('as its bounces do, is told to the postmaster, and when that is a circle, too, to nobody', async () => {
    const before = mail().length;
    const events = await afterLetter('bob@demo.test', 'ann@demo.test');
    expect(events).toMatchObject({ BounceQueued: 2, BounceDiscarded: 1 });
    expect(mail()).toHaveLength(before);
  });

  it('of hosts ends at a hundred hops, and is bounced once', async () => {
    const before = mail().length;
    const events = await afterLetter('demo@demo.test', 'x@round.test');
    expect(events).toMatchObject({ BounceQueued: 1, BounceDiscarded: 0 });
    expect(events['MessageAccepted']).toBe(101);
    const [bounce] = mail().filter((text) => text.includes('too many hops'));
    expect(bounce).toContain('Remote host said: 554 5.4.6 too many hops, this message is looping');
    expect(mail()).toHaveLength(before + 1);
  });
});
