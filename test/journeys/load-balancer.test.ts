/** A real engine with one door for everybody and one for its load balancer. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePort, makeEngine, type Engine } from '../support/engine.ts';
import { readLog } from '../support/read-log.ts';
import { until } from '../support/until.ts';
import { tcp4 } from '../wire/proxy-bytes.ts';

let engine: Engine;
let proxied: number;
beforeAll(async () => {
  engine = await makeEngine();
  proxied = await freePort();
  const file = join(engine.configDir, 'waybill.toml');
  const both = `smtp = ["127.0.0.1:${engine.port}", "127.0.0.1:${proxied}"]
proxy_protocol = ["127.0.0.1:${proxied}"]\nproxy_from = ["127.0.0.1"]`;
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^smtp = .*$/m, both));
  appendFileSync(join(engine.configDir, 'control/tcp.smtp'), '\n192.0.2.:deny\n');
  await engine.start();
});
afterAll(async () => {
  await engine.stop();
  await engine.remove();
});

/** All that is heard when that is said at once. */
function said(...pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(proxied, '127.0.0.1');
  for (const piece of pieces) socket.write(piece);
  return text(socket);
}

describe('an engine behind a load balancer', () => {
  it('knows whose letter it is, and whom tcp.smtp denies', async () => {
    expect(await said(tcp4)).toBe('');
    const letter = [
      ...['EHLO x', 'MAIL FROM:<a@b.test>', 'RCPT TO:<demo@demo.test>', 'DATA'],
      ...['Subject: x', '', 'hello', '.', 'QUIT', ''],
    ].join('\r\n');
    expect(await said('PROXY TCP6 2001:db8::7 ::1 5 25\r\n', letter)).toMatch(
      /250 2\.0\.0 [^]*221 /,
    );
    const log = await until(async () => {
      const events = await readLog(engine.dataDir);
      return events.some(({ type }) => type === 'Refused') ? events : undefined;
    }, 'the refusal to be written down');
    expect(log.find(({ type }) => type === 'MessageAccepted')?.data).toMatchObject({
      arrival: { peer: '[2001:db8::7]:5' },
    });
    expect(log.find(({ type }) => type === 'Refused')?.data).toMatchObject({
      ...{ peer: '192.0.2.7:56324', reply: '(closed without a word: tcp.smtp denies)' },
    });
  });
});
