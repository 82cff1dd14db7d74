/** Whole walks through the real engine, on loopback; named after qmail's PIC files. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nextAttempt } from '../../src/queue/schedule.ts';
import { freePort, makeEngine, type Engine } from '../support/engine.ts';
import { readLog, storyOf } from '../support/read-log.ts';
import { openSink, type Sink } from '../support/sink.ts';
import { dial, handIn, idIn } from '../support/smtp-talk.ts';
import { until } from '../support/until.ts';

let engine: Engine;
let sink: Sink;

const body = (subject: string) => `From: a\r\nSubject: ${subject}\r\n\r\nHello.\r\n.dot\r\n`;
const typesOf = async (id: string) => (await storyOf(engine.dataDir, id)).map(({ type }) => type);
const mailWith = (text: string) =>
  engine
    .maildir('demo')
    .map((file) => readFileSync(file, 'latin1'))
    .find((mail) => mail.includes(text));

beforeAll(async () => {
  sink = await openSink(await freePort());
  engine = await makeEngine({
    control: {
      smtproutes: `sink.test:127.0.0.1:${sink.port}\n`,
      virtualdomains: 'virt.test:demo\n',
    },
    files: { 'alias/.qmail-list': '&demo@demo.test\n&one@sink.test\n' },
  });
  await engine.start();
});

afterAll(async () => {
  await engine.remove();
  await sink.shut();
});

describe('rem2local: a letter from afar for a user here', () => {
  it('lies in the Maildir, stamped at every stage', async () => {
    const reply = await handIn(engine.port, {
      from: 'you@example.org',
      to: ['demo@demo.test'],
      body: body('rem2local'),
    });
    const id = idIn(reply);
    const mail = await until(() => mailWith('Subject: rem2local'), 'the letter');
    const lines = mail.split('\n');
    expect(lines[0]).toBe('Return-Path: <you@example.org>');
    expect(lines[1]).toBe('Delivered-To: demo@demo.test');
    expect(lines[2]).toMatch(/^Received: from .*client\.test/);
    expect(mail).toContain(id);
    expect(mail).toContain('\n\nHello.\n.dot\n');
    expect(mail).not.toContain('\r');
    expect(
      await until(async () => {
        const types = await typesOf(id);
        return types.length >= 5 ? types : undefined;
      }, 'the story'),
    ).toEqual([
      'MessageAccepted',
      'MessageQueued',
      'AttemptStarted',
      'RecipientDelivered',
      'MessageCleanedUp',
    ]);
  });
  it('is refused at RCPT when nobody lives there', async () => {
    await expect(
      handIn(engine.port, { from: 'you@example.org', to: ['nobody@demo.test'], body: body('x') }),
    ).rejects.toThrow(/550/);
  });
});

describe('local2rem: a letter from here to another host', () => {
  it('arrives as it was, several recipients in one transaction', async () => {
    const to = ['one@sink.test', 'two@sink.test'];
    await handIn(engine.port, { from: 'demo@demo.test', to, body: body('local2rem') });
    const letter = await until(
      () => sink.letters.find((got) => got.body.includes('local2rem')),
      'it',
    );
    expect(letter.recipients).toEqual(to);
    expect(letter.returnPath).toBe('demo@demo.test');
    expect(letter.body.endsWith('\r\n\r\nHello.\r\n.dot\r\n')).toBe(true);
  });

  it('waits (√age + 20)² seconds after a 4xx, and goes out when told to try now', async () => {
    sink.answers = { data: () => '451 4.3.0 not now' };
    const reply = await handIn(engine.port, {
      from: 'demo@demo.test',
      to: ['late@sink.test'],
      body: body('deferred'),
    });
    const id = idIn(reply);
    const story = await until(async () => {
      const events = await storyOf(engine.dataDir, id);
      return events.length >= 4 ? events : undefined;
    }, 'a deferral');
    const [accepted, , started, deferred] = story;
    const said = deferred!.data as {
      dueAt: number;
      reply: { text: string; code: number; status: string };
    };
    expect(deferred!.type).toBe('RecipientDeferred');
    expect(said.dueAt).toBe(nextAttempt(accepted!.at, started!.at, 'remote'));
    expect(said.reply).toMatchObject({ code: 451, status: '4.3.0' });
    expect(said.reply.text).toContain('451 4.3.0 not now');
    sink.answers = {};
    engine.signal('SIGALRM');
    await until(
      () => sink.letters.find((got) => got.body.includes('Subject: deferred')),
      'the retry',
    );
    await until(async () => (await typesOf(id)).at(-1) === 'MessageCleanedUp', 'the end');
  });
});

describe('a bounce', () => {
  it('tells the sender in QSBMF, once, with a copy of the letter', async () => {
    sink.answers = {
      rcpt: (address) => (address.startsWith('no') ? '550 5.1.1 <nobody>' : '250 ok'),
    };
    const reply = await handIn(engine.port, {
      from: 'demo@demo.test',
      to: ['no1@sink.test', 'yes@sink.test', 'no2@sink.test'],
      body: body('bouncing'),
    });
    const id = idIn(reply);
    const mail = await until(() => mailWith('failure notice'), 'the bounce');
    const at = mail.indexOf('Date: ');
    const expected = [
      /^Date: \d+ \w{3} \d{4} \d\d:\d\d:\d\d -0000$/,
      'From: MAILER-DAEMON@mail.demo.test',
      'To: demo@demo.test',
      'Subject: failure notice',
      '',
      'Hi. This is the qmail-send program at mail.demo.test.',
      "I'm afraid I wasn't able to deliver your message to the following addresses.",
      "This is a permanent error; I've given up. Sorry it didn't work out.",
      '',
      '<no1@sink.test>:',
      '127.0.0.1 does not like recipient.',
      'Remote host said: 550 5.1.1 <nobody>',
      'Giving up on 127.0.0.1.',
      '',
      '<no2@sink.test>:',
      '127.0.0.1 does not like recipient.',
      'Remote host said: 550 5.1.1 <nobody>',
      'Giving up on 127.0.0.1.',
      '',
      '--- Below this line is a copy of the message.',
      '',
      'Return-Path: <demo@demo.test>',
    ];
    const lines = mail.slice(at).split('\n');
    expected.forEach((line, index) => {
      if (line instanceof RegExp) expect(lines[index]).toMatch(line);
      else expect(lines[index]).toBe(line);
    });
    expect(mail.startsWith('Return-Path: <>\n')).toBe(true);
    expect(mail.endsWith('\n\nHello.\n.dot\n')).toBe(true);
    await until(async () => (await typesOf(id)).at(-1) === 'MessageCleanedUp', 'the end');
    expect((await typesOf(id)).slice(-2)).toEqual(['BounceQueued', 'MessageCleanedUp']);
    expect(sink.letters.filter((got) => got.body.includes('bouncing'))).toHaveLength(1);
    sink.answers = {};
  });

  it('that bounces goes to the postmaster, and a third one ends in an event', async () => {
    sink.answers = { rcpt: () => '550 never' };
    const reply = await handIn(engine.port, {
      from: 'gone@sink.test',
      to: ['no@sink.test'],
      body: body('2b'),
    });
    const child = async (id: string) => {
      const queued = await until(
        async () => (await storyOf(engine.dataDir, id)).find(({ type }) => type === 'BounceQueued'),
        'a child',
      );
      return queued.data as { child: string; kind: string; to: string };
    };
    const bounce = await child(idIn(reply));
    expect(bounce).toMatchObject({ kind: 'bounce', to: 'gone@sink.test' });
    const double = await child(bounce.child);
    expect(double).toMatchObject({ kind: 'double-bounce', to: 'postmaster@mail.demo.test' });
    const mail = await until(() => mailWith('the bounce bounced!'), 'the double bounce');
    expect(mail).toContain('--- Below this line is the original bounce.\n\nReturn-Path: <>\n');
    const first = await handIn(engine.port, {
      from: '#@[]',
      to: ['no@sink.test'],
      body: body('3b'),
    });
    await until(async () => (await typesOf(idIn(first))).includes('BounceDiscarded'), 'silence');
    sink.answers = {};
  });
});

describe('forwards and virtual domains', () => {
  it('a list in ~alias makes one new letter, a child of the first', async () => {
    const reply = await handIn(engine.port, {
      from: 'a@b.test',
      to: ['list@demo.test'],
      body: body('forwarded'),
    });
    const mail = await until(() => mailWith('Subject: forwarded'), 'the copy here');
    expect(mail).toContain('Delivered-To: list@demo.test\n');
    await until(
      () => sink.letters.find((got) => got.body.includes('Subject: forwarded')),
      'the copy there',
    );
    const delivered = await until(
      async () =>
        (await storyOf(engine.dataDir, idIn(reply))).find(
          ({ type }) => type === 'RecipientDelivered',
        ),
      'the verdict',
    );
    const { children } = delivered.data as { children: string[] };
    expect(children).toHaveLength(1);
    const [accepted] = await storyOf(engine.dataDir, children[0]!);
    expect(accepted!.data).toMatchObject({ parent: { message: idIn(reply), why: 'forward' } });
  });

  it('local2virtual: a virtual domain is a user with a prefix, after a reload too', async () => {
    await expect(
      handIn(engine.port, { from: 'a@b.test', to: ['x@virt.test'], body: body('v') }),
    ).rejects.toThrow(/550/);
    writeFileSync(
      join(engine.configDir, 'control/locals'),
      'demo.test\nnew.test\nmail.demo.test\n',
    );
    engine.signal('SIGHUP');
    await until(
      async () =>
        (await readLog(engine.dataDir)).filter(({ type }) => type === 'ControlsLoaded').length >= 2,
      'the reload',
    );
    const reply = await until(
      () =>
        handIn(engine.port, {
          from: 'a@b.test',
          to: ['demo@new.test'],
          body: body('newlocal'),
        }).catch(() => undefined),
      'the door to know',
    );
    await until(() => mailWith('Subject: newlocal'), 'the letter');
    const [, queued] = await storyOf(engine.dataDir, idIn(reply));
    expect(queued!.data).toMatchObject({ routes: [{ rule: 'locals: new.test' }] });
  });
});

describe('a large letter', () => {
  it('goes through a file of its own, and is the same here and there', async () => {
    const line = `${'0123456789'.repeat(7)}\r\n`;
    const large = `Subject: large\r\n\r\n${line.repeat(20_000)}`;
    const reply = await handIn(engine.port, {
      from: 'demo@demo.test',
      to: ['demo@demo.test', 'big@sink.test'],
      body: large,
    });
    const there = await until(
      () => sink.letters.find((got) => got.body.includes('Subject: large')),
      'it',
    );
    expect(there.body.endsWith(large)).toBe(true);
    const here = await until(() => mailWith('Subject: large'), 'it here');
    expect(here.endsWith(large.replaceAll('\r\n', '\n'))).toBe(true);
    await until(async () => (await typesOf(idIn(reply))).at(-1) === 'MessageCleanedUp', 'the end');
    await until(
      () => readdirSync(join(engine.dataDir, 'spool/bodies')).length === 0,
      'its body to go',
    );
  });

  it('that breaks off in the middle leaves nothing', async () => {
    const talk = await dial(engine.port);
    await talk.expect('220');
    await talk.ask('EHLO c.test', '250');
    await talk.ask('MAIL FROM:<a@b.test>', '250');
    await talk.ask('RCPT TO:<demo@demo.test>', '250');
    await talk.ask('DATA', '354');
    talk.say(`Subject: half\r\n\r\n${`${'y'.repeat(70)}\r\n`.repeat(5_000)}`);
    const incoming = join(engine.dataDir, 'spool/incoming');
    await until(() => readdirSync(incoming).length > 0, 'the upload');
    talk.close();
    await until(() => readdirSync(incoming).length === 0, 'it to be gone');
  });
});

describe('a stop', () => {
  it('by TERM lets an open transaction end in 250 or 421, and keeps what waits', async () => {
    sink.answers = { data: () => '451 later' };
    const waiting = idIn(
      await handIn(engine.port, {
        from: 'demo@demo.test',
        to: ['w@sink.test'],
        body: body('waiting'),
      }),
    );
    await until(async () => (await typesOf(waiting)).includes('RecipientDeferred'), 'the deferral');
    const talk = await dial(engine.port);
    await talk.expect('220');
    await talk.ask('EHLO c.test', '250');
    await talk.ask('MAIL FROM:<a@b.test>', '250');
    await talk.ask('RCPT TO:<demo@demo.test>', '250');
    await talk.ask('DATA', '354');
    const stopped = engine.stop();
    talk.say('Subject: last words\r\n\r\nx\r\n.');
    const reply = await talk.hear();
    expect(reply).toMatch(/^(250|421)/);
    talk.close();
    await stopped;
    sink.answers = {};
    rmSync(join(engine.dataDir, 'checkpoints'), { recursive: true, force: true });
    await engine.start();
    engine.signal('SIGALRM');
    await until(
      () => sink.letters.find((got) => got.body.includes('Subject: waiting')),
      'what waited',
    );
    if (reply.startsWith('250'))
      await until(() => mailWith('Subject: last words'), 'the last words');
  });
});
