/** SIGHUP to a real engine: what it obeys of `waybill.toml` and control/, and what it says of the rest. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeEngine, type Engine } from '../support/engine.ts';
import { dial } from '../support/smtp-talk.ts';
import { until } from '../support/until.ts';

let engine: Engine;
let toml: string;
beforeAll(async () => {
  engine = await makeEngine();
  await engine.start();
  toml = readFileSync(join(engine.configDir, 'waybill.toml'), 'utf8');
});
afterAll(async () => {
  await engine.stop();
  await engine.remove();
});

const write = (path: string, text: string) => writeFileSync(join(engine.configDir, path), text);

/** Resolves when the engine has said it, after the signal. */
async function hup(words: string): Promise<void> {
  const before = engine.output().length;
  engine.signal('SIGHUP');
  await until(() => engine.output().includes(words, before), words);
}

async function begun() {
  const client = await dial(engine.port);
  await client.expect('220');
  await client.ask('EHLO x', '250');
  await client.ask('MAIL FROM:<a@b.test>', '250');
  await client.ask('RCPT TO:<demo@demo.test>', '250');
  return client;
}

describe('an engine that hears SIGHUP', () => {
  it('obeys new limits of its doors, and names what takes a restart', async () => {
    write(
      'waybill.toml',
      `${toml}\n[door]\nmax_recipients = 1\nprocesses = 2\n[projections]\nfolders = ["mine"]\n`,
    );
    await hup('they take a restart');
    expect(engine.output()).toMatch(/"settings":\["door.max_recipients"\],"msg":"changed in/);
    expect(engine.output()).toMatch(/"settings":\["door.processes","projections.folders"\]/);
    await until(async () => {
      const client = await begun();
      client.say('RCPT TO:<demo@demo.test>');
      const heard = await client.hear();
      client.close();
      return heard.startsWith('452');
    }, 'the door to obey');
  });

  it('obeys a new control/timeoutsmtpd', async () => {
    write('control/timeoutsmtpd', '1\n');
    write('waybill.toml', `${toml}\n[door]\nmax_recipients = 2\n`);
    await hup('changed in waybill.toml');
    await until(async () => {
      const one = await dial(engine.port);
      await one.expect('220');
      const heard = await Promise.race([
        one.hear(),
        new Promise<undefined>((done) => setTimeout(done, 3_000, undefined)),
      ]);
      one.close();
      return heard?.startsWith('451');
    }, 'the door to lose its patience');
    // The others may be slow.
    write('control/timeoutsmtpd', '1200\n');
    write('waybill.toml', `${toml}\n[door]\nmax_recipients = 2\nmax_fruitless = 99\n`);
    await hup('changed in waybill.toml');
  });

  it('obeys new control/concurrencylocal', async () => {
    write('control/concurrencylocal', '0\n');
    write('waybill.toml', `${toml}\n[door]\nmax_recipients = 2\nmax_fruitless = 98\n`);
    await hup('changed in waybill.toml');
    const slots = async () =>
      (await engine.waybill('log', '--type', 'ControlsLoaded', '--json')).stdout.match(
        /"concurrencylocal":"\d+/g,
      );
    await until(async () => (await slots())?.at(-1)?.endsWith('"0') === true, 'the event');
    const before = engine.maildir('demo').length;
    const client = await begun();
    await client.ask('DATA', '354');
    await client.ask('Subject: slots\r\n\r\nhello\r\n.', '250');
    client.close();
    await engine.waybill('queue');
    expect(engine.maildir('demo')).toHaveLength(before);
    write('control/concurrencylocal', '10\n');
    engine.signal('SIGHUP');
    await until(() => engine.maildir('demo').length === before + 1, 'the letter to go');
  });

  it('says no more than it is told to from now on', async () => {
    const from = engine.output().length;
    const said = (words: string): number => engine.output().slice(from).split(words).length - 1;
    write('waybill.toml', `${toml}\n[door]\nmax_recipients = 2\n[stderr]\nlevel = "error"\n`);
    await hup('reloading settings');
    write('waybill.toml', `${toml}\n[door]\nmax_recipients = 2\n`);
    await hup('"settings":["stderr.level"]');
    expect(said('reloading settings')).toBe(1);
  });

  it('keeps everything when there is a mistake, and names its line', async () => {
    write('waybill.toml', `${toml}\n[door]\nmax_recipients = "many"\n`);
    await hup('settings not reloaded: the old ones stay');
    expect(engine.output()).toMatch(/waybill\.toml:\d+: door\.max_recipients/);
    const client = await begun();
    await client.ask('RCPT TO:<demo@demo.test>', '250');
    await client.ask('RCPT TO:<demo@demo.test>', '452');
    client.close();
  });

  it('starts a role that died by what is in force, whatever the file says by now', async () => {
    write('waybill.toml', `${toml}\n[door]\nmax_recipients = "many"\n`);
    await engine.kill('door');
    await until(
      () =>
        begun().then(
          async (client) => {
            await client.ask('RCPT TO:<demo@demo.test>', '250');
            await client.ask('RCPT TO:<demo@demo.test>', '452');
            client.close();
            return true;
          },
          () => false,
        ),
      'a new door',
    );
  });
});
