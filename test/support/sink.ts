/** A destination that remembers every letter it said yes to, and answers as it is told. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export type Received = {
  readonly returnPath: string;
  readonly recipients: readonly string[];
  /** As it came over the wire, dots unstuffed. */
  readonly body: string;
};

export type SinkAnswers = {
  /** Reply to RCPT; default 250. `taken`: whom this transaction has taken so far. */
  readonly rcpt?: (address: string, taken: readonly string[]) => string;
  /** Reply to the final dot; default 250. */
  readonly data?: (letter: Received) => string;
};

export type Sink = {
  readonly port: number;
  readonly letters: Received[];
  /** The addresses asked for in each transaction, in the order of their MAIL, taken or not. */
  readonly transactions: string[][];
  answers: SinkAnswers;
  /** Stops listening and cuts every connection; `open` brings it back on the same port. */
  shut(): Promise<void>;
  open(): Promise<void>;
};

/** Port 0: any free one. */
export async function openSink(port: number, answers: SinkAnswers = {}): Promise<Sink> {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  const sink: Sink & { port: number } = {
    port,
    letters: [],
    transactions: [],
    answers,
    async open() {
      const opened = createServer({ noDelay: true }, (socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
        socket.on('error', () => socket.destroy());
        converse(socket, sink);
      });
      server = opened;
      await new Promise<void>((resolve, reject) => {
        opened.once('error', reject);
        opened.listen(sink.port, '127.0.0.1', resolve);
      });
      sink.port = (opened.address() as AddressInfo).port;
    },
    async shut() {
      const closing = server;
      server = undefined;
      for (const socket of sockets) socket.destroy();
      if (closing !== undefined) await new Promise((done) => closing.close(done));
    },
  };
  await sink.open();
  return sink;
}

function converse(socket: Socket, sink: Sink): void {
  let buffer = '';
  let inData = false;
  let returnPath = '';
  let recipients: string[] = [];
  let asked: string[] = [];
  const say = (line: string) => socket.write(`${line}\r\n`);

  const command = (line: string): void => {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'EHLO')
      socket.write('250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n');
    else if (verb === 'HELO' || verb === 'NOOP') say('250 ok');
    else if (verb === 'RSET') {
      recipients = [];
      say('250 ok');
    } else if (verb === 'MAIL') {
      returnPath = /<(.*?)>/.exec(line)?.[1] ?? '';
      recipients = [];
      asked = [];
      sink.transactions.push(asked);
      say('250 ok');
    } else if (verb === 'RCPT') {
      const address = /<(.*?)>/.exec(line)?.[1] ?? '';
      asked.push(address);
      const reply = sink.answers.rcpt?.(address, recipients) ?? '250 ok';
      if (reply.startsWith('2')) recipients.push(address);
      say(reply);
    } else if (verb === 'DATA') {
      inData = recipients.length > 0;
      say(inData ? '354 go ahead' : '503 no recipients');
    } else if (verb === 'QUIT') socket.end('221 bye\r\n');
    else say('502 unimplemented');
  };
  const letter = (data: string): void => {
    const body = data.replace(/\r\n\./g, '\r\n').replace(/^\./, '');
    const received = { returnPath, recipients, body };
    const reply = sink.answers.data?.(received) ?? '250 accepted';
    if (reply.startsWith('2')) sink.letters.push(received);
    recipients = [];
    say(reply);
  };
  say('220 sink.test ESMTP');
  socket.on('data', (chunk) => {
    buffer += chunk.toString('latin1');
    for (;;) {
      const mark = inData ? '\r\n.\r\n' : '\r\n';
      // A letter without lines ends with the very first dot.
      if (inData && buffer.startsWith('.\r\n')) buffer = `\r\n${buffer}`;
      const end = buffer.indexOf(mark);
      if (end === -1) return;
      const text = buffer.slice(0, end);
      buffer = buffer.slice(end + mark.length);
      if (inData) {
        inData = false;
        letter(`${text}\r\n`);
      } else command(text);
    }
  });
}
