/** Small SMTP clients of our own: a greeting, one letter, and a stream of letters whose answers are timed. */
import { connect, type Socket } from 'node:net';

/** Whether somebody says 220 there. */
export function greetingAt(port: number, limitMs = 10_000): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    const finish = (answer: boolean) => {
      if (answer) socket.end('QUIT\r\n');
      else socket.destroy();
      done(answer);
    };
    socket.setTimeout(limitMs, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => done(false));
    socket.once('data', (data) => finish(data.toString().startsWith('220')));
  });
}

/** How long one letter took, milliseconds. */
export type Timing = {
  /** From the final dot to the 250: what it takes to make it durable. */
  readonly accept: number;
  /** From MAIL to the 250. */
  readonly transaction: number;
};

export type Client = {
  /** Sends a letter; rejects when it is refused or the server goes away. */
  send(to: string): Promise<Timing>;
  close(): void;
};

const answerLimitMs = 60_000;

/** Connects; resolves when the server has greeted. */
export async function openClient(port: number, bytes: number): Promise<Client> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  const next = replies(socket);
  const ask = async (words: string, wanted: number): Promise<void> => {
    socket.write(`${words}\r\n`);
    await expect(next, wanted);
  };
  await expect(next, 2);
  await ask('EHLO probe.test', 2);
  const body = letter(bytes);
  return {
    async send(to) {
      const from = performance.now();
      await ask('MAIL FROM:<sender@source.test>', 2);
      await ask(`RCPT TO:<${to}>`, 2);
      await ask('DATA', 3);
      const dot = performance.now();
      await ask(body, 2);
      const end = performance.now();
      return { accept: end - dot, transaction: end - from };
    },
    close: () => void socket.end('QUIT\r\n').on('error', () => undefined),
  };
}

/** One letter over a connection of its own. */
export async function sendOne(port: number, to: string): Promise<void> {
  const client = await openClient(port, 200);
  try {
    await client.send(to);
  } finally {
    client.close();
  }
}

async function expect(next: () => Promise<string>, wanted: number): Promise<void> {
  const reply = await next();
  if (!reply.startsWith(String(wanted))) throw new Error(`the server says: ${reply.trim()}`);
}

/** The last line of each reply, as they are asked for. */
function replies(socket: Socket): () => Promise<string> {
  let buffered = '';
  let over: Error | undefined;
  let stir = (): void => undefined;
  const end = (cause: Error) => {
    over ??= cause;
    stir();
  };
  socket.on('data', (chunk: Buffer) => {
    buffered += chunk.toString('latin1');
    stir();
  });
  socket.setTimeout(answerLimitMs, () => socket.destroy(new Error('the server does not answer')));
  socket.on('error', end);
  socket.on('close', () => end(new Error('the server closed the connection')));
  return () =>
    new Promise((resolve, reject) => {
      stir = () => {
        const reply = /^(?:\d{3}-.*\r\n)*(\d{3}(?: .*)?)\r\n/.exec(buffered);
        if (reply !== null) {
          stir = () => undefined;
          buffered = buffered.slice(reply[0].length);
          resolve(reply[1]!);
        } else if (over !== undefined) {
          reject(over);
        }
      };
      stir();
    });
}

function letter(bytes: number): string {
  const head = 'From: sender@source.test\r\nSubject: probe\r\n\r\n';
  const line = `${'x'.repeat(70)}\r\n`;
  return `${head}${line.repeat(Math.max(1, Math.ceil((bytes - head.length) / line.length)))}.`;
}
