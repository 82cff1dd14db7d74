import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { decimal, tai64n } from '../../projections/log-stamps.ts';
import { question as qmailLog } from '../../projections/qmail-log.ts';
import type { QueueEvent } from '../../src/queue/events.ts';
import * as mail from '../support/queue-mail.ts';
import { idEnding, ofLetter, recorded } from '../trace/recorded.ts';
import { said } from './asked.ts';

const node = (type: string, data: unknown, at = 0) => ({
  stream: 'node-here.test-1',
  event: { type, v: 1, at: mail.age(at), data },
});
const files = { me: 'here.test\n', concurrencyremote: '120\n' };

const failing = (text: string): QueueEvent[] => [
  ...mail.letter('nosuch@here.test'),
  mail.started(['nosuch@here.test'], { at: 1 }),
  {
    ...mail.failed(0, 'nosuch@here.test', { startedAt: 1, at: 1 }),
    data: {
      rcpt: 0,
      address: 'nosuch@here.test',
      attempt: 1,
      startedAt: mail.age(1),
      reply: { text },
    },
  } as QueueEvent,
  mail.settled([0], 1),
];
const noMailbox = 'Sorry, no mailbox here by that name. (#5.1.1)\n';

describe("qmail-send's log", () => {
  it('tells a letter that fails as qmail-send would have', () => {
    const child = idEnding('2');
    const log = recorded(
      node('NodeStarted', { node: 'here.test' }),
      node('ControlsLoaded', { digest: 'x', files }),
      ...ofLetter(failing(noMailbox)),
      ...ofLetter(mail.letterFrom('', 'joe@here.test'), child),
      ...ofLetter([
        {
          ...{ type: 'BounceQueued', v: 1, at: mail.age(2) },
          data: { child, kind: 'bounce', to: 'joe@here.test' },
        },
        mail.cleanedUp(2),
      ]),
      node('NodeStopped', { why: 'SIGTERM', open: 1 }, 3),
    );
    expect(said(qmailLog, log, { stamp: 'none' })).toEqual([
      'status: local 0/10 remote 0/20',
      'new msg 3',
      'info msg 3: bytes 12 from <joe@here.test> qp 3 uid 7791',
      'starting delivery 1: msg 3 to local nosuch@here.test',
      'status: local 1/10 remote 0/120',
      'delivery 1: failure: Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/',
      'status: local 0/10 remote 0/120',
      'new msg 8',
      'info msg 8: bytes 12 from <> qp 8 uid 7791',
      'bounce msg 3 qp 8',
      'end msg 3',
      'status: exiting',
    ]);
  });

  it('discards a triple bounce', () => {
    const discarded = { type: 'BounceDiscarded', v: 1, at: mail.age(2), data: { why: 'x' } };
    const log = recorded(
      ...ofLetter([...failing(noMailbox), discarded as QueueEvent, mail.cleanedUp(2)]),
    );
    expect(said(qmailLog, log, { stamp: 'none' }).slice(-2)).toEqual([
      'triple bounce: discarding bounce/1',
      'end msg 1',
    ]);
  });

  it('starts with nothing under way after a crash, and never ends what the crash cut off', () => {
    const log = recorded(
      ...ofLetter([...mail.letter('a@b.test'), mail.started(['a@b.test'])]),
      node('NodeStarted', { node: 'here.test' }, 5),
      ...ofLetter([mail.deferred(0, 'a@b.test', 5, { at: 5 })]),
    );
    const lines = said(qmailLog, log, { stamp: 'none' });
    expect(lines.slice(2)).toEqual([
      'starting delivery 1: msg 1 to remote a@b.test',
      'status: local 0/10 remote 1/20',
      'status: local 0/10 remote 0/20',
    ]);
  });

  it("lets no stranger's text begin a line, or look like one of ours", () => {
    const log = recorded(...ofLetter(failing('550 x\nnew msg 7\r\n\u001b[2J %\n')));
    const lines = said(qmailLog, log, { stamp: 'none' });
    expect(lines[4]).toBe('delivery 1: failure: 550_x/new_msg_7_/_[2J__/');
    expect(lines.filter((line) => line.startsWith('new msg'))).toHaveLength(1);
  });

  it('stamps lines as multilog, splogger and syslogd do', () => {
    expect(tai64n(Date.UTC(1970, 0, 1))).toBe('@400000000000000a00000000');
    expect(tai64n(1_763_704_800_123)).toBe('@40000000691fffea0754d4c0');
    expect(decimal(1_763_704_800_123)).toBe('1763704800.123000');
    const log = recorded(...ofLetter(mail.letter('a@b.test')));
    const [line] = said(qmailLog, log, { stamp: 'syslog', host: 'mx', tag: 'qmail' });
    expect(line).toBe('Jan  1 00:00:00 mx qmail: 1767225600.000000 new msg 1');
  });

  const logwatch = '/usr/share/logwatch/scripts/services/qmail-send';
  const isThere = existsSync(logwatch);
  if (!isThere) console.warn('skipped, for there is no logwatch: it understands every line');
  (isThere ? it : it.skip)('is understood by logwatch, every line', () => {
    const input = said(
      qmailLog,
      recorded(...ofLetter(failing('x does not like recipient.\n'))),
    ).join('\n');
    const { stdout } = spawnSync('perl', [logwatch], {
      ...{ input: `${input}\n`, encoding: 'utf8' },
      env: { ...process.env, LOGWATCH_DETAIL_LEVEL: '5', qmail_high_detail: '1', threshold: '1' },
    });
    expect(stdout).toContain('joe@here.test - 1 Time(s)');
    expect(stdout).toContain('nosuch@here.test - 1 Time(s)');
    expect(stdout).not.toContain('Unmatched');
  });
});
