/**
 * A far side that speaks from a script, over loopback. One script per connection, in order:
 *
 *   S: 250 ok         says this line
 *   C: RCPT TO:<a@b>  wants exactly this line
 *   C? EHLO x         wants this line, or the end
 *   body              wants a message up to its final dot, and keeps its bytes as they came
 *   tls               becomes TLS, with a self-signed certificate
 *   drop              ends the connection
 *   hang up           says no more, but hears the other side out
 *   stall             says nothing any more
 *   drip              says one byte every 20 ms, and never ends its line
 *
 * After its script a connection takes QUIT or the end; all else is noted in `mistakes`.
 */
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { TLSSocket } from 'node:tls';
import { selfSigned } from './certificate.ts';

export type FarSide = {
  readonly port: number;
  /** The bytes of each message, dots still stuffed, the final dot taken off. */
  readonly bodies: Buffer[];
  /** What was said against the script. */
  readonly mistakes: string[];
  /** How many connections came. */
  readonly connections: () => number;
  /** Resolves when so many connections have ended. */
  ended(count: number): Promise<void>;
  close(): Promise<void>;
};

/** Bytes as they come, asked for by line or by message. */
function listenTo(socket: Socket) {
  let heard = Buffer.alloc(0);
  let over = false;
  let wake = () => {};
  const stir = () => wake();
  socket.on('data', (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk]);
    stir();
  });
  for (const event of ['end', 'close', 'error']) {
    socket.on(event, () => {
      over = true;
      stir();
    });
  }
  /** Up to and including `mark`; `undefined` when the connection ended before. */
  async function upTo(mark: string): Promise<Buffer | undefined> {
    for (;;) {
      const at = heard.indexOf(mark);
      if (at >= 0) {
        const taken = heard.subarray(0, at + mark.length);
        heard = heard.subarray(at + mark.length);
        return taken;
      }
      if (over) return undefined;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  return {
    line: async () => (await upTo('\r\n'))?.toString('utf8').slice(0, -2),
    async message() {
      // An empty message is nothing but the final dot.
      heard = Buffer.concat([Buffer.from('\r\n'), heard]);
      return (await upTo('\r\n.\r\n'))?.subarray(2, -3);
    },
    over: async () => {
      while (!over) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

async function play(first: Socket, script: string, far: FarSide): Promise<void> {
  let socket = first;
  let ears = listenTo(socket);
  for (const step of script.split('\n').map((line) => line.trim())) {
    if (step.startsWith('S: ')) socket.write(`${step.slice(3)}\r\n`);
    else if (/^C[:?] /.test(step)) {
      const line = await ears.line();
      if (line === step.slice(3)) continue;
      if (line === undefined && step.startsWith('C? ')) return void socket.destroy();
      far.mistakes.push(`wanted ${step.slice(3)}, got ${line ?? 'the end'}`);
      return void socket.destroy();
    } else if (step === 'body') {
      const message = await ears.message();
      if (message === undefined) return void far.mistakes.push('wanted a message, got the end');
      far.bodies.push(message);
    } else if (step === 'tls') {
      const { key, cert } = selfSigned('mx.test');
      socket.removeAllListeners('data');
      socket = new TLSSocket(socket, { isServer: true, key, cert });
      ears = listenTo(socket);
    } else if (step === 'drip') {
      const timer = setInterval(() => socket.write('2'), 20);
      await ears.over();
      clearInterval(timer);
    } else if (step === 'stall') {
      // What is said to somebody who is deaf is no mistake; a handshake may hold anything, line ends too.
      await ears.over();
      return void socket.destroy();
    } else if (step === 'hang up') {
      socket.end();
      return void (await ears.over());
    } else if (step === 'drop') return void socket.destroy();
    else if (step !== '') throw new Error(`no such step: ${step}`);
  }
  const line = await ears.line();
  if (line !== undefined && line !== 'QUIT') far.mistakes.push(`after the script, got ${line}`);
  socket.destroy();
}

/** Listens on 127.0.0.1, at a port of the system's choice. */
export async function smtpScript(...scripts: readonly string[]): Promise<FarSide> {
  let count = 0;
  let gone = 0;
  let wake = () => {};
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      gone += 1;
      wake();
    });
    const script = scripts[count++];
    if (script === undefined) {
      far.mistakes.push('one connection too many');
      socket.destroy();
    } else void play(socket, script, far).catch((cause) => far.mistakes.push(String(cause)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const far: FarSide = {
    port: (server.address() as AddressInfo).port,
    bodies: [],
    mistakes: [],
    connections: () => count,
    async ended(wanted) {
      while (gone < wanted) await new Promise<void>((resolve) => (wake = resolve));
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return far;
}
