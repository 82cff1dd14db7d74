import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { tcpDial } from '../../../src/delivery/remote/dial.ts';

const never = new AbortController().signal;
const target = (port: number) => ({ host: 'x', address: '127.0.0.1', port });

async function listening(run: (port: number) => Promise<void>): Promise<void> {
  const server = createServer((socket) => socket.end('hello'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await run(port).finally(() => server.close());
}

describe('a TCP connection', () => {
  it('comes up paused, from the address it was told, with all its bytes to come', () =>
    listening(async (port) => {
      const options = { timeoutMs: 1_000, localAddress: '127.0.0.1', signal: never };
      const socket = await tcpDial(target(port), options);
      expect(socket.isPaused()).toBe(true);
      expect(socket.localAddress).toBe('127.0.0.1');
      const heard: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => heard.push(chunk));
      socket.resume();
      await new Promise((resolve) => socket.once('close', resolve));
      expect(Buffer.concat(heard).toString()).toBe('hello');
    }));

  it('is refused where nobody listens', async () => {
    let free = 0;
    await listening(async (port) => void (free = port));
    await expect(tcpDial(target(free), { timeoutMs: 1_000, signal: never })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });

  it.each([0, 65_536, Number.NaN])('is refused at port %d', async (port) => {
    await expect(tcpDial(target(port), { timeoutMs: 1_000, signal: never })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });

  it('times out', () =>
    listening(async (port) => {
      const attempt = tcpDial(target(port), { timeoutMs: 0, signal: never });
      // The timer is due before the loop gets to look at the network.
      const until = Date.now() + 5;
      while (Date.now() < until);
      await expect(attempt).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    }));

  it('is given up when nobody wants it any more', () =>
    listening(async (port) => {
      const ending = new AbortController();
      const attempt = tcpDial(target(port), { timeoutMs: 1_000, signal: ending.signal });
      ending.abort();
      await expect(attempt).rejects.toMatchObject({ code: 'ECANCELED' });
      await expect(
        tcpDial(target(port), { timeoutMs: 1_000, signal: ending.signal }),
      ).rejects.toMatchObject({ code: 'ECANCELED' });
    }));
});
