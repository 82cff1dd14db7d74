/** An SMTP client of few words: what is said, and what must be heard. */
import { connect } from 'node:net';

export type Talk = {
  say(line: string): void;
  hear(): Promise<string>;
  expect(code: string): Promise<void>;
  ask(line: string, code: string): Promise<void>;
  close(): void;
};

/** Opens a connection; every reply is heard as its last line. */
export function dial(port: number): Promise<Talk> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let buffer = '';
    let broken: Error | undefined;
    let waiting: { resolve(line: string): void; reject(cause: Error): void } | undefined;
    const deliver = (): void => {
      // The last line of a reply has a blank after the code.
      const end = /^(?:\d{3}-.*\r\n)*(\d{3}(?: .*)?)\r\n/.exec(buffer);
      if (end !== null && waiting !== undefined) {
        buffer = buffer.slice(end[0].length);
        const { resolve: answer } = waiting;
        waiting = undefined;
        answer(end[1]!);
      } else if (broken !== undefined) waiting?.reject(broken);
    };
    const fail = (): void => {
      broken ??= new Error('connection lost');
      reject(broken);
      deliver();
    };
    socket.setTimeout(60_000, fail);
    socket.on('error', fail);
    socket.on('close', fail);
    socket.on('data', (chunk) => {
      buffer += chunk.toString('latin1');
      deliver();
    });
    const talk: Talk = {
      say: (line) => void socket.write(`${line}\r\n`),
      hear: () =>
        new Promise((answer, refuse) => {
          waiting = { resolve: answer, reject: refuse };
          deliver();
        }),
      async expect(code) {
        const line = await talk.hear();
        if (!line.startsWith(code)) throw new Error(`expected ${code}: ${line}`);
      },
      async ask(line, code) {
        talk.say(line);
        await talk.expect(code);
      },
      close: () => socket.destroy(),
    };
    socket.once('connect', () => resolve(talk));
  });
}

export type Draft = {
  readonly from: string;
  readonly to: readonly string[];
  /** Lines end in CRLF; dots are stuffed here. */
  readonly body: string;
};

/** Hands in one letter; returns the reply to the final dot. Throws on any refusal before it. */
export async function handIn(port: number, { from, to, body }: Draft): Promise<string> {
  const talk = await dial(port);
  try {
    await talk.expect('220');
    await talk.ask('EHLO client.test', '250');
    await talk.ask(`MAIL FROM:<${from}>`, '250');
    for (const address of to) await talk.ask(`RCPT TO:<${address}>`, '250');
    await talk.ask('DATA', '354');
    const stuffed = body.replace(/^\./gm, '..');
    talk.say(`${stuffed}${stuffed.endsWith('\r\n') ? '' : '\r\n'}.`);
    const reply = await talk.hear();
    talk.say('QUIT');
    return reply;
  } finally {
    talk.close();
  }
}

/** The same with all commands in one go (RFC 2920), for letters to very many. Refused recipients are left out. */
export async function handInAtOnce(port: number, { from, to, body }: Draft): Promise<string> {
  const talk = await dial(port);
  try {
    await talk.expect('220');
    const rcpts = to.map((address) => `RCPT TO:<${address}>`);
    talk.say(['EHLO client.test', `MAIL FROM:<${from}>`, ...rcpts, 'DATA'].join('\r\n'));
    await talk.expect('250');
    await talk.expect('250');
    for (const _ of rcpts) await talk.hear();
    await talk.expect('354');
    talk.say(`${body.replace(/^\./gm, '..')}.`);
    return await talk.hear();
  } finally {
    talk.close();
  }
}

/** The id in a 250 reply. */
export const idIn = (reply: string): string =>
  /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/.exec(reply)?.[0] ?? '';
