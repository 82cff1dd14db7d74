import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { dataFiles } from '../../src/cli/places.ts';
import { logFile } from '../../src/log/sqlite/log-file.ts';
import { checkpointFile } from '../../src/composition/log.modules.ts';
import { tempDir } from '../support/temp-dir.ts';
import { openOffice, says, type Office } from '../trace/office.ts';
import { jsonLines, waybill } from './run.ts';

/** A letter with a retry, one held, one that failed and bounced, one that is through. */
let office: Office;
let ids: { waiting: string; held: string; failed: string; bounce: string; done: string };
const hostile = 'evil\u001b[2J\u009b\n@b.test';
/** Two hours ago, so that what is due is due. */
const start = Date.now() - 7_200_000;

beforeAll(async () => {
  office = await openOffice(start);
  const waiting = await office.accept(['ann@b.test', hostile]);
  await office.attempt(waiting, [0], [says('deferred', 0, '192.0.2.7 said: 451 \u001b[31mbusy\n')]);
  await office.writeCheckpoint();
  office.clock.advance(60_000);
  const done = await office.accept(['bob@here.test']);
  await office.attempt(done, [0], [says('delivered', 0, 'did 1+0+0\n')]);
  const held = await office.accept(['eve@c.test']);
  await office.do(held, { type: 'Hold', by: 'joe', why: 'ask her first', at: office.clock.now() });
  const failed = await office.accept(['zoe@c.test']);
  await office.attempt(failed, [0], [says('failed', 0, '550 no such user\n')]);
  const bounce = await office.accept(['joe@here.test'], {
    returnPath: '',
    parent: { message: failed, why: 'bounce' },
  });
  await office.do(failed, {
    ...{ type: 'SettleBounce', at: office.clock.now() },
    bounce: { child: bounce, kind: 'bounce', to: 'joe@here.test' },
  });
  ids = { waiting, held, failed, bounce, done };
  await office.close();
});
afterAll(() => office.remove());

const run = (...args: readonly string[]) => waybill(office.path, ...args);

describe('waybill queue', () => {
  it('tells what waits, why and until when', () => {
    const { code, stdout, stderr } = run('queue');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`${ids.waiting}  from <joe@here.test>`);
    expect(stdout).toMatch(
      /0 <ann@b\.test> \(remote b\.test\): due since .*; tried once\n {6}mx\.b\.test|192\.0\.2\.7 said: 451 \?\[31mbusy/,
    );
    expect(stdout).toMatch(/held since .* by joe \(ask her first\)/);
    expect(stdout).toContain('3 letters with 4 recipients in the queue: 3 due now, 1 held.');
    expect(stdout).toContain('The engine is not running');
    expect(stdout).toMatch(/^[ -~\n]*$/);
  });

  it('gives one JSON value per recipient, by due time', () => {
    const { code, stdout } = run('queue', '--json');
    const rows = jsonLines(stdout);
    expect(code).toBe(0);
    expect(
      rows.map(({ message, recipient, status, attempts }) => [
        message,
        recipient,
        status,
        attempts,
      ]),
    ).toEqual([
      [ids.waiting, 1, 'waiting', 0],
      [ids.held, 0, 'held', 0],
      [ids.bounce, 0, 'waiting', 0],
      [ids.waiting, 0, 'waiting', 1],
    ]);
    expect(rows[0]).toMatchObject({
      address: hostile,
      returnPath: 'joe@here.test',
      channel: 'remote',
      lane: 'b.test',
    });
    expect(rows[1]).toMatchObject({ held: { by: 'joe', why: 'ask her first' } });
    expect(rows[3]).toMatchObject({
      dueAt: new Date(start + 400_000).toISOString(),
      lastReply: { host: 'mx.b.test' },
    });
  });

  it('shows no more than asked, and says how many more wait', () => {
    const { stdout, stderr } = run('queue', '--json', '--limit', '1');
    expect(jsonLines(stdout)).toHaveLength(1);
    expect(stderr).toContain('3 more recipients wait');
  });

  it('shows it as it stood after an event, or at a time', () => {
    const first = jsonLines(run('queue', '--at', '4', '--json').stdout);
    expect(first.map(({ status, attempts }) => [status, attempts])).toEqual([
      ['waiting', 0],
      ['waiting', 0],
    ]);
    const during = jsonLines(
      run('queue', '--at', new Date(start + 500).toISOString(), '--json').stdout,
    );
    expect(during.map(({ recipient, status }) => [recipient, status])).toEqual([
      [0, 'attempting'],
      [1, 'waiting'],
    ]);
    expect(run('queue', '--at', '2').stdout).toContain('after event 2: nothing waits.');
    const everything = run('queue', '--at', '999999').stdout;
    expect(everything).toContain('3 letters with 4 recipients in the queue');
  });

  it('leaves the checkpoint as it is', () => {
    const { checkpoint } = dataFiles(office.path);
    const before = [readFileSync(checkpoint).toString('hex'), statSync(checkpoint).mtimeMs];
    run('queue');
    expect([readFileSync(checkpoint).toString('hex'), statSync(checkpoint).mtimeMs]).toEqual(
      before,
    );
    expect(existsSync(`${checkpoint}.new`)).toBe(false);
  });
});

describe('waybill trace', () => {
  it('tells a story with its children below', () => {
    const { code, stdout } = run('trace', ids.failed);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^letter ${ids.failed}\n`));
    expect(stdout).toContain('failed after 1.5 s: mx.b.test [192.0.2.7]: 550 no such user');
    expect(stdout).toContain(`\n    letter ${ids.bounce}\n`);
    expect(stdout).toContain(`comes from letter ${ids.failed} (bounce)`);
    expect(stdout.indexOf('settled: 1 of 1 recipient failed')).toBeGreaterThan(
      stdout.indexOf('attempt 1 remote'),
    );
  });

  it('gives the events as JSON in the form of the command line', () => {
    const events = jsonLines(run('trace', '--json', `message-${ids.failed}`).stdout);
    expect(events.map(({ type }) => type)).toEqual([
      ...[
        'MessageAccepted',
        'MessageQueued',
        'AttemptStarted',
        'RecipientFailed',
        'MessageSettled',
      ],
      ...['BounceQueued', 'MessageCleanedUp', 'MessageAccepted', 'MessageQueued'],
    ]);
    expect(Object.keys(events[0]!)).toEqual([
      'position',
      'stream',
      'revision',
      'type',
      'v',
      'at',
      'data',
    ]);
    expect(events[0]).toMatchObject({
      stream: `message-${ids.failed}`,
      revision: 0,
      v: 1,
      at: new Date(start + 63_000).toISOString(),
    });
  });

  it('takes the end of an id, and says which are meant when it is too short', () => {
    expect(run('trace', ids.held.slice(-4)).stdout).toContain(`letter ${ids.held}`);
    const ambiguous = run('trace', ids.held.slice(0, 6));
    expect(ambiguous.code).toBe(100);
    expect(ambiguous.stderr).toContain('is ambiguous');
    expect(ambiguous.stderr).toMatch(new RegExp(`^  ${ids.done}  2`, 'm'));
    expect([run('trace', 'ffffffff').code, run('trace', 'rubbish\u001b').code]).toEqual([100, 100]);
  });

  it("prints no byte of a stranger's that a terminal would obey", () => {
    for (const name of ['trace', 'why'])
      expect(run(name, ids.waiting).stdout).toMatch(/^[ -~\n]*$/);
    for (const name of ['trace', 'why'])
      expect(run(name, '--json', ids.waiting).stdout).toMatch(/^[ -~\n]*$/);
  });
});

describe('waybill why', () => {
  it('gives rule, reply and arithmetic', () => {
    const { code, stdout } = run('why', `${ids.waiting}/ann@b.test`);
    expect(code).toBe(0);
    expect(stdout).toContain(`${ids.waiting}/0 to <ann@b.test>: waiting`);
    expect(stdout).toContain('no line speaks of it');
    expect(stdout).toContain(
      'Its square root is 0; 20 more for a remote retry make 20; squared, that is 400 seconds',
    );
    expect(stdout).toContain('It waits for the engine, which is not running');
  });

  it('shows the line of the control file', () => {
    const { stdout } = run('why', ids.bounce);
    expect(stdout).toContain('control/locals:1: here.test');
    expect(stdout).toContain('Made here');
    // Of one that no delivery has got to yet, the files of now are asked.
    expect(stdout).toContain('it is mail of the user alias');
  });

  it('answers in JSON, a value per recipient', () => {
    const reasons = jsonLines(run('why', '--json', ids.waiting).stdout);
    expect(reasons.map(({ recipient, waitsFor }) => [recipient, waitsFor])).toEqual([
      [0, 'engine'],
      [1, 'engine'],
    ]);
    expect(reasons[0]).toMatchObject({
      schedule: { by: 'schedule', dueAt: new Date(start + 400_000).toISOString() },
    });
    const [held] = jsonLines(run('why', '--json', `${ids.held}/0`).stdout);
    expect(held).toMatchObject({ waitsFor: 'operator', held: { by: 'joe' } });
  });

  it('exits 100 for a recipient that is none', () => {
    expect(run('why', `${ids.held}/9`)).toMatchObject({ code: 100 });
  });
});

describe('waybill search', () => {
  const found = (...args: readonly string[]) =>
    jsonLines(run('search', '--json', ...args).stdout).map(({ message }) => message);
  it('finds letters by what is asked, all of it together', () => {
    expect(found('--status', 'done')).toEqual([ids.failed, ids.done]);
    expect(found('--recipient', '@c.test')).toEqual([ids.failed, ids.held]);
    expect(found('--recipient', '@c.test', '--status', 'held')).toEqual([ids.held]);
    expect(found('--sender', '<>', '--parent', ids.failed.slice(-4))).toEqual([ids.bounce]);
    expect(found('--host', 'mx.b.*', '--reply', 'BUSY')).toEqual([ids.waiting]);
    expect(found('--since', '-1h')).toEqual([]);
    expect(found('--until', new Date(start).toISOString())).toEqual([ids.waiting]);
    expect(found('--limit', '2')).toHaveLength(2);
  });

  it('tells a person in a line', () => {
    const { stdout } = run('search', '--status', 'failed');
    expect(stdout).toMatch(
      new RegExp(
        `^${ids.failed}  .*Z  bounced    <joe@here.test> to <zoe@c.test>\n    550 no such user\n$`,
      ),
    );
  });

  it('exits 100 for a status that is none', () => {
    expect(run('search', '--status', 'lost').code).toBe(100);
  });
});

describe('waybill log', () => {
  it('prints all events, in order, one a line', () => {
    const events = jsonLines(run('log').stdout);
    expect(events.map(({ position }) => position)).toEqual(events.map((_, index) => index + 1));
    expect(events[0]).toMatchObject({
      type: 'NodeStarted',
      stream: expect.stringMatching(/^node-here\.test-/),
    });
  });

  it('begins where told, and picks types and streams', () => {
    expect(jsonLines(run('log', '--from', '3', '--limit', '1').stdout)).toMatchObject([
      { position: 3 },
    ]);
    expect(jsonLines(run('log', '--type', 'messageheld,BounceQueued').stdout)).toHaveLength(2);
    expect(jsonLines(run('log', '--stream', 'node').stdout)).toHaveLength(2);
    expect(jsonLines(run('log', '--stream', ids.held).stdout)).toHaveLength(3);
    const since = new Date(start + 60_000).toISOString();
    const young = jsonLines(run('log', '--from', since).stdout);
    expect(young[0]).toMatchObject({ type: 'MessageAccepted', stream: `message-${ids.done}` });
  });

  it('is quiet when its reader goes away', () => {
    const main = resolve(import.meta.dirname, '../../src/cli/main.ts');
    const command = `"${process.execPath}" "${main}" --data "${office.path}" log | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8' });
    expect([stdout.split('\n')[1], stderr]).toEqual(['0', '']);
  });
});

describe('waybill nodes', () => {
  it('says that an engine has its log alone', () => {
    expect(run('nodes').stdout).toBe('One engine, one log: there are no nodes.\n');
    expect(run('nodes', '--json').stdout).toBe('');
  });
});

describe('waybill verify', () => {
  it('says that all is well', () => {
    const { code, stdout } = run('verify');
    expect(code).toBe(0);
    expect(stdout).toContain(
      '6 recipients accepted = 1 delivered + 1 failed + 0 cancelled + 4 open',
    );
    expect(stdout).toContain('the checkpoint at position 6 says the same as the log');
    expect(stdout).toMatch(/All is well\.\n$/);
  });

  it('answers with one JSON object', () => {
    const answers = jsonLines(run('verify', '--json').stdout);
    expect(answers).toMatchObject([
      { ok: true, recipients: { balanced: true }, damages: [], mistakes: [] },
    ]);
  });
});

describe('a data directory in which no engine ever ran', () => {
  it('is named, and the exit code says: try later', () => {
    const nowhere = tempDir();
    try {
      for (const command of [['queue'], ['trace', 'abcd'], ['verify'], ['retry', '--all']]) {
        const { code, stderr } = waybill(nowhere.path, ...command);
        expect([code, stderr]).toEqual([111, expect.stringContaining('there is no log')]);
      }
      expect(existsSync(nowhere.file('log'))).toBe(false);
    } finally {
      nowhere.remove();
    }
  });
});

describe('a data directory that cannot be looked into', () => {
  it('is not called empty', () => {
    const strange = tempDir();
    try {
      symlinkSync('log', strange.file('log'));
      const { code, stderr } = waybill(strange.path, 'queue');
      expect([code, stderr]).toEqual([111, expect.stringContaining('symbolic link loop')]);
    } finally {
      strange.remove();
    }
  });
});

describe('the files of a data directory', () => {
  it('lie where the engine puts them', () => {
    const files = dataFiles('/data');
    expect([files.log, files.checkpoint]).toEqual([`/data/${logFile}`, `/data/${checkpointFile}`]);
  });
});
