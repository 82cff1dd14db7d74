/** PIC: whatever is killed, nothing that got a 250 is lost. The long form is `npm run torture`. */
import { describe, expect, it } from '@jest/globals';
import { freePort, makeEngine } from '../support/engine.ts';
import { readLog } from '../support/read-log.ts';
import { openSink } from '../support/sink.ts';
import { handIn } from '../support/smtp-talk.ts';
import { torture } from '../support/torture.ts';
import { until } from '../support/until.ts';

describe('a letter that got a 250', () => {
  it('is delivered, bounced or queued, whoever is killed meanwhile', async () => {
    const seed = Math.floor(Math.random() * 1_000_000);
    const accounts = await torture({ kills: 12, sessions: 8, seed });
    const said = { seed, ...accounts, verify: accounts.verify.code };
    expect({ ...said, lost: accounts.lost, unexplained: accounts.unexplained }).toMatchObject({
      lost: [],
      unexplained: [],
      verify: 0,
    });
    expect(accounts.accepted).toBeGreaterThan(50);
    expect(accounts.delivered).toBeGreaterThan(0);
  });
});

describe('a role that dies', () => {
  it('is started again, refuses nobody, and is an event', async () => {
    const engine = await makeEngine();
    try {
      await engine.start();
      for (const role of ['door', 'local', 'remote', 'queue'] as const) {
        await engine.kill(role);
        await until(
          async () =>
            (await readLog(engine.dataDir)).some(
              ({ type, data }) => type === 'RoleLost' && (data as { role: string }).role === role,
            ),
          `${role} to be missed`,
        );
        await until(
          () =>
            handIn(engine.port, {
              from: 'a@b.test',
              to: ['demo@demo.test'],
              body: `Subject: after ${role}\r\n\r\nx\r\n`,
            }).then(
              (reply) => reply.startsWith('250'),
              () => false,
            ),
          `a letter after ${role}`,
        );
      }
      // A letter that was on its way into the Maildir is in doubt and waits its time; not in a test.
      engine.signal('SIGALRM');
      await until(() => engine.maildir('demo').length === 4, 'all letters');
    } finally {
      await engine.remove();
    }
  });
});

describe('TERM to the whole process group, as a service manager sends it', () => {
  it('ends in order: nothing is called lost, no attempt is cut off', async () => {
    const sink = await openSink(await freePort());
    const engine = await makeEngine({
      control: { smtproutes: `sink.test:127.0.0.1:${sink.port}\n` },
    });
    try {
      await engine.start();
      for (let n = 0; n < 20; n += 1) {
        const body = `Subject: ${n}\r\n\r\nx\r\n`;
        await handIn(engine.port, { from: 'demo@demo.test', to: [`u${n}@sink.test`], body });
      }
      for (const { role, pid } of engine.pids()) if (role !== 'start') process.kill(pid, 'SIGTERM');
      await engine.stop();
      const log = await readLog(engine.dataDir);
      expect(log.filter(({ type }) => type === 'RoleLost')).toEqual([]);
      expect(log.filter(({ data }) => (data as { doubt?: true }).doubt)).toEqual([]);
      expect(log.at(-1)!.type).toBe('NodeStopped');
    } finally {
      await engine.remove();
      await sink.shut();
    }
  });
});
