/** PIC: the engine as ever, with its log in an event store that comes and goes. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { makeEngine, type Engine } from '../support/engine.ts';
import { StandIn } from '../support/kurrent/stand-in.ts';
import { handIn } from '../support/smtp-talk.ts';
import { until } from '../support/until.ts';

const letter = (subject: string, bytes = 10) => ({
  from: 'a@b.test',
  to: ['demo@demo.test'],
  body: `Subject: ${subject}\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(Math.ceil(bytes / 72))}`,
});

const withEngine = async (
  env: Readonly<Record<string, string>>,
  use: (engine: Engine, server: StandIn) => Promise<void>,
): Promise<void> => {
  const server = await new StandIn().start();
  const at = { WAYBILL_LOG_ENGINE: 'kurrentdb', WAYBILL_LOG_URL: server.url() };
  // Nobody listens there: whatever goes out waits.
  const control = { smtproutes: ':127.0.0.1:1\n' };
  const engine = await makeEngine({ control, env: { ...at, ...env } });
  try {
    await use(engine, server);
  } finally {
    await engine.remove();
    await server.stop();
  }
};

const accepted = async (engine: Engine, ...sent: Parameters<typeof letter>): Promise<void> =>
  expect(await handIn(engine.port, letter(...sent))).toMatch(/^250/);

const verified = async (engine: Engine): Promise<string> => {
  const { code, stdout, stderr } = await engine.waybill('verify');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};

describe('an engine with its log in an event store', () => {
  it(
    'delivers, is killed, goes on, outlives the event store’s absence, and adds up',
    () =>
      withEngine({}, async (engine, server) => {
        await engine.start();
        await accepted(engine, 'small');
        await accepted(engine, 'large', 1_000_000);
        await until(() => engine.maildir('demo').length === 2, 'both letters');
        await engine.kill('start', 'queue', 'door', 'remote', 'local');
        await engine.start();
        await accepted(engine, 'after the kill');
        await server.stop();
        const waiting = handIn(engine.port, letter('into the gap'));
        await new Promise((resolve) => setTimeout(resolve, 500));
        await server.start();
        expect(await waiting).toMatch(/^250/);
        engine.signal('SIGALRM');
        await until(() => engine.maildir('demo').length === 4, 'all letters');
        const { stdout: found } = await engine.waybill('search', '--recipient', 'demo@demo.test');
        expect(found.split('\n')).toHaveLength(5);
        const id = found.slice(0, 36);
        expect((await engine.waybill('trace', id.slice(-10))).stdout).toContain('delivered');
        expect((await engine.waybill('why', id)).stdout).toContain('control/locals:1: demo.test');
        expect((await engine.waybill('queue')).stdout).toBe('Nothing waits.\n');
        expect(await verified(engine)).toContain('4 letters accepted: 4 done, 0 open');
        // Bodies that nobody needs any more are gone.
        await until(async () => {
          const bodies = [...server.store.names()].filter((name) => name.startsWith('body-'));
          return (
            bodies.length === 4 && bodies.every((name) => server.store.stream(name)!.isDeleted)
          );
        }, 'the bodies to go');
      }),
    240_000,
  );

  it('keeps bodies in a directory that nodes share, when it is told one', async () => {
    const shared = mkdtempSync(join(tmpdir(), 'waybill-bodies-'));
    // Started by root, the queue has an account of its own.
    chmodSync(shared, 0o777);
    const env = { WAYBILL_LOG_BODY_DIRECTORY: join(shared, 'bodies') };
    try {
      await withEngine(env, async (engine, server) => {
        await engine.start();
        await accepted(engine, 'small');
        await until(() => engine.maildir('demo').length === 1, 'the letter');
        await handIn(engine.port, { ...letter('waits'), to: ['x@elsewhere.test'] });
        expect(await verified(engine)).toContain('1 body of open letters read and compared');
        expect([...server.store.names()].filter((name) => name.startsWith('body-'))).toEqual([]);
      });
    } finally {
      rmSync(shared, { recursive: true, force: true });
    }
  });

  it('refuses to start on an address that it cannot use', async () => {
    const engine = await makeEngine({ env: { WAYBILL_LOG_ENGINE: 'kurrentdb' } });
    try {
      const { code, stdout } = await engine.waybill('check');
      expect(code).toBe(100);
      expect(stdout).toContain('engine "kurrentdb" needs url');
    } finally {
      await engine.remove();
    }
  });
});
