import { afterEach, describe, expect, it } from '@jest/globals';
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { closeDoors, openDoor } from './open-door.ts';
import { testCertificate } from './test-certificate.ts';

afterEach(closeDoors);

const run = promisify(execFile);

/** `it` where the program is at hand; otherwise the test shows as skipped, with its reason in its name. */
function withProgram(program: string, ...version: string[]) {
  const present = spawnSync(program, version).status === 0;
  return (name: string, test: () => Promise<void>): void => {
    if (present) it(name, test);
    else it.skip(`${name} (skipped: no ${program} here)`, test);
  };
}

const python = withProgram('python3', '-c', 'import smtplib');
const swaks = withProgram('swaks', '--version');

const script = `
import smtplib, ssl, sys
server = smtplib.SMTP('127.0.0.1', int(sys.argv[1]), local_hostname='python.test')
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
server.starttls(context=context)
refused = server.sendmail('ann@far.test', ['joe@demo.test', 'ghost@demo.test'],
    'Subject: from python\\n\\n.a line that begins with a dot\\n..\\n.\\nlast\\n')
print(refused['ghost@demo.test'][0])
server.sendmail('', ['joe@demo.test'], b'Subject: second\\r\\n\\r\\nx\\r\\n')
try:
    server.sendmail('ann@far.test', ['joe@elsewhere.test'], 'x')
except smtplib.SMTPRecipientsRefused as refusal:
    print(refusal.recipients['joe@elsewhere.test'][0])
server.quit()
`;

describe('a client of another make', () => {
  python('(python smtplib) delivers two letters over one TLS connection', async () => {
    const door = await openDoor({ settings: { tls: testCertificate } });
    const { stdout } = await run('python3', ['-c', script, String(door.port)]);
    expect(stdout.split(/\s+/)).toEqual(['550', '553', '']);
    const [first, second] = door.intake.letters;
    expect(first?.envelope).toEqual({
      ...{ returnPath: 'ann@far.test', recipients: ['joe@demo.test'] },
    });
    expect(first?.body).toContain(
      'Subject: from python\r\n\r\n.a line that begins with a dot\r\n..\r\n.\r\nlast\r\n',
    );
    expect(second?.envelope.returnPath).toBe('');
  });

  swaks('(swaks) delivers a letter, pipelined and inside TLS', async () => {
    const door = await openDoor({ settings: { tls: testCertificate } });
    await run('swaks', [
      ...['--server', '127.0.0.1', '--port', String(door.port), '--pipeline', '--tls'],
      ...['--from', 'ann@far.test', '--to', 'joe@demo.test,ann@demo.test', '--helo', 'swaks.test'],
      ...['--body', 'hello from swaks'],
    ]);
    expect(door.intake.letters).toHaveLength(1);
    expect(door.intake.letters[0]?.envelope.recipients).toEqual(['joe@demo.test', 'ann@demo.test']);
    expect(door.intake.letters[0]?.body).toContain('hello from swaks\r\n');
  });

  swaks('(swaks) is told when nobody is at home', async () => {
    const door = await openDoor();
    const to = ['--from', 'ann@far.test', '--to', 'ghost@demo.test'];
    const server = ['--server', '127.0.0.1', '--port', String(door.port)];
    // 24: no recipient was accepted.
    await expect(run('swaks', [...server, ...to])).rejects.toMatchObject({ code: 24 });
  });
});
