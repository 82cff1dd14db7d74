/** qmail-remote's reports, row by row, against a far side that speaks from a script. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { FarSide } from '../../support/smtp-script.ts';
import { smtpScript } from '../../support/smtp-script.ts';
import type { BodySource } from '../../../src/queue/ports.ts';
import { orderFor, spoken, station } from './station.ts';

const hello = `S: 220 mx.b.test
  C: EHLO me.test
  S: 250 mx.b.test`;
const mail = `${hello}
  C: MAIL FROM:<ann@a.test>`;
const rcpt = `${mail}
  S: 250 ok
  C: RCPT TO:<joe@b.test>`;
const data = `${rcpt}
  S: 250 ok
  C: DATA`;
const sent = `${data}
  S: 354 go
  body`;

let far: FarSide | undefined;
const stations: ReturnType<typeof station>[] = [];

async function against(script: string, recipients = ['joe@b.test'], timeoutRemoteMs = 60_000) {
  far = await smtpScript(script);
  const here = station({ '192.0.2.1': far }, { timeoutRemoteMs });
  stations.push(here);
  return here.deliver(orderFor(recipients));
}

afterEach(async () => {
  for (const { channel } of stations.splice(0)) channel.close();
  await far?.close();
  expect(far?.mistakes ?? []).toEqual([]);
  far = undefined;
});

const ip = '192.0.2.1';
const died = `ZConnected to ${ip} but connection died. (#4.4.2)\n`;
const duplicate = `ZConnected to ${ip} but connection died. Possible duplicate! (#4.4.2)\n`;

/** A body that would still be on its way tomorrow. */
const endless: BodySource = {
  ref: { id: 'x', bytes: 1_000, sha256: '' },
  async *read() {
    for (;;) {
      yield Buffer.from('x\r\n');
      await new Promise((resolve) => setImmediate(resolve));
    }
  },
};

describe('a letter to one recipient', () => {
  it.each([
    [
      'is accepted',
      `${sent}\nS: 250 accepted yes`,
      `K${ip} accepted message.\nRemote host said: 250 accepted yes\n`,
    ],
    [
      'is accepted by a reply of several lines',
      `${sent}\nS: 250-a\nS: 250 b`,
      `K${ip} accepted message.\nRemote host said: 250-a\n250 b\n`,
    ],
    [
      'is accepted by any 2xx',
      `${sent}\nS: 299 odd`,
      `K${ip} accepted message.\nRemote host said: 299 odd\n`,
    ],
    [
      'waits, in doubt, when the answer to it is one that asks for more',
      `${sent}\nS: 354 go`,
      `Z${ip} answered out of step after I sent the message. Possible duplicate!\nRemote host said: 354 go\n`,
    ],
    [
      'is not sent to one that says 250 to DATA: that was the answer to something else',
      `${data}\nS: 250 ok`,
      `Z${ip} failed on DATA command.\nRemote host said: 250 ok\n`,
    ],
    [
      'goes to a recipient taken with 251',
      `${rcpt}\nS: 251 will forward\nC: DATA\nS: 354 go\nbody\nS: 250 k`,
      `K${ip} accepted message.\nRemote host said: 250 k\n`,
    ],
    [
      'waits after a greeting of 4xx',
      'S: 421 busy',
      `ZConnected to ${ip} but greeting failed.\nRemote host said: 421 busy\n`,
    ],
    [
      'waits after a greeting of 554',
      'S: 554 go away\nC: QUIT',
      `ZConnected to ${ip} but greeting failed.\nRemote host said: 554 go away\n`,
    ],
    [
      'waits after a greeting of 250',
      'S: 250 hi',
      `ZConnected to ${ip} but greeting failed.\nRemote host said: 250 hi\n`,
    ],
    ['waits when the connection drops instead of a greeting', 'drop', died],
    [
      'waits when HELO is refused, too',
      'S: 220 hi\nC: EHLO me.test\nS: 502 what\nC: HELO me.test\nS: 550 who\nC: QUIT',
      `ZConnected to ${ip} but my name was rejected.\nRemote host said: 550 who\n`,
    ],
    [
      'waits when EHLO is answered by 421',
      'S: 220 hi\nC: EHLO me.test\nS: 421 busy',
      `ZConnected to ${ip} but my name was rejected.\nRemote host said: 421 busy\n`,
    ],
    ['waits when the connection drops after EHLO', 'S: 220 hi\nC: EHLO me.test\ndrop', died],
    ['waits when the connection drops after MAIL', `${mail}\ndrop`, died],
    [
      'fails when its sender is refused',
      `${mail}\nS: 550 no`,
      `DConnected to ${ip} but sender was rejected.\nRemote host said: 550 no\n`,
    ],
    [
      'waits when its sender is put off',
      `${mail}\nS: 450 no`,
      `ZConnected to ${ip} but sender was rejected.\nRemote host said: 450 no\n`,
    ],
    [
      'waits when MAIL is answered by nonsense',
      `${mail}\nS: what`,
      `ZConnected to ${ip} but sender was rejected.\nRemote host said: what\n`,
    ],
    [
      'fails when the recipient is refused',
      `${rcpt}\nS: 550 no`,
      `D${ip} does not like recipient.\nRemote host said: 550 no\nGiving up on ${ip}.\n`,
    ],
    [
      'waits when the recipient is put off',
      `${rcpt}\nS: 450 x`,
      `Z${ip} does not like recipient.\nRemote host said: 450 x\nGiving up on ${ip}.\n`,
    ],
    ['waits when the connection drops after RCPT', `${rcpt}\ndrop`, died],
    [
      'fails when DATA is refused',
      `${data}\nS: 554 no`,
      `D${ip} failed on DATA command.\nRemote host said: 554 no\n`,
    ],
    [
      'waits when DATA is put off',
      `${data}\nS: 451 no`,
      `Z${ip} failed on DATA command.\nRemote host said: 451 no\n`,
    ],
    ['waits when the connection drops after DATA', `${data}\ndrop`, died],
    [
      'fails when it is refused in the end',
      `${sent}\nS: 554 spam`,
      `D${ip} failed after I sent the message.\nRemote host said: 554 spam\n`,
    ],
    [
      'waits when it is put off in the end',
      `${sent}\nS: 451 later`,
      `Z${ip} failed after I sent the message.\nRemote host said: 451 later\n`,
    ],
    [
      'waits when the last reply is nonsense',
      `${sent}\nS: thanks`,
      `Z${ip} failed after I sent the message.\nRemote host said: thanks\n`,
    ],
    [
      'may be a duplicate when the connection drops after the final dot',
      `${sent}\ndrop`,
      duplicate,
    ],
    [
      "waits with a stranger's words made harmless",
      `${sent}\nS: 451 a\x1b[2J\0b`,
      `Z${ip} failed after I sent the message.\nRemote host said: 451 a?[2J?b\n`,
    ],
  ])('%s', async (_, script, report) => {
    expect((await against(script)).map(spoken)).toEqual([report]);
  });

  it.each([
    ['before the greeting', 'stall', died],
    ['after EHLO', 'S: 220 hi\nC: EHLO me.test\nstall', died],
    ['after MAIL', `${mail}\nstall`, died],
    ['after RCPT', `${rcpt}\nstall`, died],
    ['after DATA', `${data}\nstall`, died],
    ['after the final dot', `${sent}\nstall`, duplicate],
  ])('waits when the far side falls silent %s', async (_, script, report) => {
    let said: readonly string[] = [];
    // No clock of ours: a machine that is too busy for the replies before hears of the wrong silence.
    for (const timeoutMs of [60, 1_000, 15_000]) {
      await far?.close();
      said = (await against(script, ['joe@b.test'], timeoutMs)).map(spoken);
      if (said[0] === report && far?.mistakes.length === 0) break;
    }
    expect(said).toEqual([report]);
  });

  it.each([
    ['to EHLO', 'S: 220 hi\nC: EHLO me.test\ndrip'],
    ['to MAIL', `${mail}\ndrip`],
  ])('waits when the reply %s drips on without an end', async (_, script) => {
    far = await smtpScript(script);
    const here = station({ [ip]: far }, { timeoutRemoteMs: 1_000 });
    const ticking = setInterval(() => here.clock.advance(300), 10);
    const heard = await here.deliver().finally(() => clearInterval(ticking));
    expect(heard.map(spoken)).toEqual([died]);
  });

  it('is refused in the words that came while it was being sent', async () => {
    far = await smtpScript(`${data}\nS: 354 go\nS: 552 too much\nhang up`);
    const here = station({ [ip]: far });
    const outcomes = await here.deliver(orderFor(['joe@b.test'], { body: endless }));
    expect(outcomes.map(spoken)).toEqual([
      `D${ip} failed after I sent the message.\nRemote host said: 552 too much\n`,
    ]);
  });

  it('waits, and is no duplicate, when it is accepted before it was sent', async () => {
    far = await smtpScript(`${data}\nS: 354 go\nS: 250 fine\nhang up`);
    const here = station({ [ip]: far });
    const outcomes = await here.deliver(orderFor(['joe@b.test'], { body: endless }));
    expect(outcomes.map(spoken)).toEqual([died]);
    expect(outcomes[0]?.doubt).toBeUndefined();
  });
});

describe('a letter to several recipients', () => {
  const three = ['joe@b.test', 'ann@b.test', 'eve@b.test'];
  const mixed = `${mail}
    S: 250 ok
    C: RCPT TO:<joe@b.test>
    S: 250 a
    C: RCPT TO:<ann@b.test>
    S: 550 b
    C: RCPT TO:<eve@b.test>
    S: 450 c
    C: DATA`;
  const unliked = (said: string) =>
    `${ip} does not like recipient.\nRemote host said: ${said}\nGiving up on ${ip}.\n`;

  it.each([
    [
      'is accepted for those it may reach',
      `${mixed}\nS: 354 go\nbody\nS: 250 k`,
      [
        `K${ip} accepted message.\nRemote host said: 250 k\n`,
        `D${unliked('550 b')}`,
        `Z${unliked('450 c')}`,
      ],
    ],
    [
      'says nothing of a later trouble to those put off',
      `${mixed}\nS: 451 disk`,
      [
        `Z${ip} failed on DATA command.\nRemote host said: 451 disk\n`,
        `D${unliked('550 b')}`,
        `Z${unliked('450 c')}`,
      ],
    ],
    [
      'says nothing of a later refusal to those refused before',
      `${mixed}\nS: 354 go\nbody\nS: 554 spam`,
      [
        `D${ip} failed after I sent the message.\nRemote host said: 554 spam\n`,
        `D${unliked('550 b')}`,
        `Z${unliked('450 c')}`,
      ],
    ],
    [
      'is in doubt only for those accepted',
      `${mixed}\nS: 354 go\nbody\ndrop`,
      [duplicate, `D${unliked('550 b')}`, `Z${unliked('450 c')}`],
    ],
    [
      'leaves those not asked about with the connection that died',
      `${mail}\nS: 250 ok\nC: RCPT TO:<joe@b.test>\nS: 550 b\nC: RCPT TO:<ann@b.test>\ndrop`,
      [`D${unliked('550 b')}`, died, died],
    ],
  ])('%s', async (_, script, reports) => {
    const outcomes = await against(script, three);
    expect(outcomes.map(spoken)).toEqual(reports);
    expect(outcomes.map(({ doubt }) => doubt)).toEqual(
      reports.map((report) => (report === duplicate ? true : undefined)),
    );
  });
});

describe('what an outcome keeps', () => {
  it('is who said what', async () => {
    const [outcome] = await against(`${rcpt}\nS: 550-5.1.1 no\nS: 550 5.1.1 user`);
    expect(outcome).toEqual({
      rcpt: 0,
      kind: 'failed',
      reply: {
        text: `${ip} does not like recipient.\nRemote host said: 550-5.1.1 no\n550 5.1.1 user\nGiving up on ${ip}.\n`,
        code: 550,
        status: '5.1.1',
        host: 'mx.b.test',
        address: ip,
        port: 25,
      },
      reached: {
        dns: [
          { asked: 'MX', name: 'b.test', found: ['10 mx.b.test'] },
          { asked: 'address', name: 'mx.b.test', found: [ip] },
        ],
      },
    });
  });

  it('is our own status where nobody gave one', async () => {
    const [outcome] = await against('drop');
    expect(outcome?.reply).toMatchObject({ status: '4.4.2', address: ip });
    expect(outcome?.reply.code).toBeUndefined();
  });

  it('is at most 5,000 characters', async () => {
    const [outcome] = await against(
      `${rcpt}\n${`S: 550-${'x'.repeat(996)}\n`.repeat(9)}S: 550 end`,
    );
    expect(outcome?.reply.text).toHaveLength(5_000);
    expect(outcome?.reply.text.endsWith('\n')).toBe(true);
  });
});

describe('a body that cannot be read', () => {
  it('puts the letter off, and never gets its final dot', async () => {
    far = await smtpScript(`${data}\nS: 354 go\nbody`);
    const body = {
      ref: { id: 'x', bytes: 10, sha256: '' },
      async *read() {
        yield Buffer.from('half\r\n');
        throw new Error('disk');
      },
    };
    const here = station({ [ip]: far });
    expect((await here.deliver(orderFor(['joe@b.test'], { body }))).map(spoken)).toEqual([
      'ZUnable to read message. (#4.3.0)\n',
    ]);
    await far.ended(1);
    expect(far.bodies).toEqual([]);
    expect(far.mistakes.splice(0)).toEqual(['wanted a message, got the end']);
  });
});
