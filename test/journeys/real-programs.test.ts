/** The same walks with programs that no one here wrote: Postfix's smtp-source and smtp-sink, swaks, python. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { works } from '../support/children.ts';
import { freePort, makeEngine, type Engine } from '../support/engine.ts';
import { readLog } from '../support/read-log.ts';
import { dial } from '../support/smtp-talk.ts';
import { until } from '../support/until.ts';

const find = (program: string): string | undefined =>
  ['/usr/sbin', '/usr/bin', '/usr/local/bin']
    .map((folder) => `${folder}/${program}`)
    .find((path) => spawnSync('test', ['-x', path]).status === 0);

const source = find('smtp-source');
const sinkProgram = find('smtp-sink');
const swaks = find('swaks');
const withPostfix = source !== undefined && sinkProgram !== undefined ? describe : describe.skip;
const withPython = works('python3', '-c', '') ? it : it.skip;
const withSwaks = swaks === undefined ? it.skip : it;

let engine: Engine;
let sinkPort: number;

beforeAll(async () => {
  sinkPort = await freePort();
  engine = await makeEngine({ control: { smtproutes: `sink.test:127.0.0.1:${sinkPort}\n` } });
  await engine.start();
});

afterAll(async () => {
  await engine.remove();
});

type RunningSink = { readonly count: () => number; readonly end: () => Promise<void> };

/** smtp-sink with its count of letters (`-c`), and what else it is told to do; resolves when it greets. */
async function startSink(...options: readonly string[]): Promise<RunningSink> {
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn(sinkProgram!, [...user, '-c', ...options, `127.0.0.1:${sinkPort}`, '1000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let seen = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    const numbers = chunk.toString().match(/\d+/g);
    if (numbers !== null) seen = Number(numbers.at(-1));
  });
  const gone = once(child, 'close');
  await until(() => greets(sinkPort), 'the sink to listen');
  return {
    count: () => seen,
    async end() {
      child.kill();
      await gone;
    },
  };
}

const greets = (port: number): Promise<boolean> =>
  dial(port).then(
    (talk) =>
      talk
        .expect('220')
        .then(
          () => true,
          () => false,
        )
        .finally(() => talk.close()),
    () => false,
  );

const send = (count: number, ...options: readonly string[]): Promise<number | null> =>
  new Promise((done) => {
    const args = ['-s', '20', '-l', '2000', '-m', String(count), ...options];
    const child = spawn(source!, [
      ...args,
      '-f',
      'demo@demo.test',
      '-t',
      'you@sink.test',
      `127.0.0.1:${engine.port}`,
    ]);
    child.once('exit', done);
  });

const countOf = async (type: string) =>
  (await readLog(engine.dataDir)).filter((event) => event.type === type).length;

withPostfix('2,000 letters of smtp-source over twenty sessions', () => {
  it('arrive at smtp-sink once each', async () => {
    const { count, end } = await startSink();
    expect(await send(2_000, '-d')).toBe(0);
    await until(() => count() >= 2_000, 'the sink to have them', 60_000);
    await until(
      async () => (await countOf('MessageCleanedUp')) >= 2_000,
      'the log to know',
      60_000,
    );
    await sleep(300);
    expect(count()).toBe(2_000);
    await end();
  });

  it('wait while the sink says 4xx, and go out when it is back', async () => {
    const before = await countOf('MessageAccepted');
    // -r: soft errors in answer to RCPT.
    const soft = await startSink('-r', 'rcpt');
    expect(await send(100)).toBe(0);
    await until(async () => (await countOf('RecipientDeferred')) >= 100, 'deferrals', 60_000);
    await soft.end();
    const good = await startSink();
    engine.signal('SIGALRM');
    await until(
      async () => (await countOf('MessageCleanedUp')) >= before + 100,
      'deliveries',
      60_000,
    );
    await until(() => good.count() >= 100, 'the sink to have counted them');
    expect(good.count()).toBe(100);
    await good.end();
  });

  it('bounce to their sender when the sink says 5xx', async () => {
    // -f: hard errors in answer to RCPT.
    const hard = await startSink('-f', 'rcpt');
    expect(await send(50)).toBe(0);
    const bounces = () =>
      engine
        .maildir('demo')
        .filter((file) => readFileSync(file, 'latin1').includes('failure notice'));
    await until(() => bounces().length >= 50, 'bounces', 60_000);
    expect(readFileSync(bounces()[0]!, 'latin1')).toContain(
      '<you@sink.test>:\n127.0.0.1 does not like recipient.\n',
    );
    await hard.end();
  });
});

describe('a letter from', () => {
  withSwaks('swaks lies in the Maildir', async () => {
    const args = [
      '--server',
      `127.0.0.1:${engine.port}`,
      '--from',
      'you@example.org',
      '--to',
      'demo@demo.test',
    ];
    const said = spawnSync(swaks!, [...args, '--header', 'Subject: from swaks'], {
      encoding: 'utf8',
    });
    expect(said.stdout).toMatch(/250 2\.0\.0 ok [0-9a-f-]{36}/);
    await until(
      () =>
        engine.maildir('demo').some((file) => readFileSync(file, 'latin1').includes('from swaks')),
      'the letter',
    );
  });

  withPython("python's smtplib arrives as it was", async () => {
    const script = `
import smtplib
with smtplib.SMTP('127.0.0.1', ${engine.port}) as s:
    s.sendmail('p@y.test', ['demo@demo.test'], 'Subject: from python\\r\\n\\r\\n.leading dot\\r\\nend\\r\\n')
`;
    expect(spawnSync('python3', ['-c', script], { encoding: 'utf8' }).stderr).toBe('');
    const mail = await until(
      () =>
        engine
          .maildir('demo')
          .map((file) => readFileSync(file, 'latin1'))
          .find((text) => text.includes('from python')),
      'the letter',
    );
    expect(mail.endsWith('\n\n.leading dot\nend\n')).toBe(true);
  });
});
