/** qmail's QUEUE_EXTRA: a copy of every letter for an address of its own, with real mail. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { freePort, makeEngine, type Engine } from '../support/engine.ts';
import { storyOf } from '../support/read-log.ts';
import { openSink, type Sink } from '../support/sink.ts';
import { handIn, idIn } from '../support/smtp-talk.ts';
import { until } from '../support/until.ts';

let engine: Engine;
let sink: Sink;

const body = (subject: string) => `Subject: ${subject}\r\n\r\nHello.\r\n`;

/** What the address has so far. */
const copies = (): string =>
  engine
    .maildir('demo')
    .map((file) => readFileSync(file, 'latin1'))
    .join('\n');

beforeAll(async () => {
  sink = await openSink(await freePort());
  engine = await makeEngine({
    env: { WAYBILL_LOG_COPY_TO: 'demo' },
    control: { smtproutes: `sink.test:127.0.0.1:${sink.port}\n` },
    files: {
      'alias/.qmail-list': '&one@sink.test\n',
    },
  });
  await engine.start();
});

afterAll(async () => {
  await engine.remove();
  await sink.shut();
});

describe('a copy of every letter', () => {
  it('goes to the address in [log] copy_to, which is the first recipient and in no header', async () => {
    const reply = await handIn(engine.port, {
      from: 'a@b.test',
      to: ['x@sink.test'],
      body: body('away'),
    });
    await until(() => copies().includes('Subject: away'), 'the copy');
    const letter = await until(
      () => sink.letters.find((got) => got.body.includes('Subject: away')),
      'the letter',
    );
    expect(letter.body).not.toMatch(/Delivered-To|[Tt]o: demo/);
    const [accepted] = await storyOf(engine.dataDir, idIn(reply));
    expect(accepted!.data).toMatchObject({ envelope: { recipients: ['demo', 'x@sink.test'] } });
  });

  it('is made of forwards and bounces, too', async () => {
    await handIn(engine.port, {
      from: 'a@b.test',
      to: ['list@demo.test'],
      body: body('forwarded'),
    });
    await until(() => copies().split('Subject: forwarded').length === 3, 'letter and forward');
    sink.answers = { rcpt: () => '550 no such user' };
    await handIn(engine.port, {
      from: 'demo@demo.test',
      to: ['y@sink.test'],
      body: body('refused'),
    });
    await until(() => copies().includes('failure notice'), 'the copy of the bounce');
    sink.answers = {};
  });
});
