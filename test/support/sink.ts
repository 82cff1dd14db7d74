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

/** One connection: bytes into lines and letters, and an answer to each. */
function converse(socket: Socket, sink: Sink): void {
  const session = openSession(socket, sink);
  let buffer = '';
  socket.write('220 sink.test ESMTP\r\n');
  socket.on('data', (chunk) => {
    buffer += chunk.toString('latin1');
    for (;;) {
      const mark = session.inData ? '\r\n.\r\n' : '\r\n';
      // A letter without lines ends with the very first dot.
      if (session.inData && buffer.startsWith('.\r\n')) buffer = `\r\n${buffer}`;
      const end = buffer.indexOf(mark);
      if (end === -1) return;
      const text = buffer.slice(0, end);
      buffer = buffer.slice(end + mark.length);
      if (session.inData) session.letter(`${text}\r\n`);
      else session.command(text);
    }
  });
}

const hello = '250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n';

function openSession(socket: Socket, sink: Sink) {
  let inData = false;
  let returnPath = '';
  let recipients: string[] = [];
  let asked: string[] = [];
  const say = (line: string) => socket.write(`${line}\r\n`);
  const address = (line: string): string => /<(.*?)>/.exec(line)?.[1] ?? '';

  const verbs: { readonly [verb: string]: (line: string) => void } = {
    EHLO: () => socket.write(hello),
    HELO: () => say('250 ok'),
    NOOP: () => say('250 ok'),
    RSET() {
      recipients = [];
      say('250 ok');
    },
    MAIL(line) {
      returnPath = address(line);
      recipients = [];
      asked = [];
      sink.transactions.push(asked);
      say('250 ok');
    },
    RCPT(line) {
      asked.push(address(line));
      const reply = sink.answers.rcpt?.(address(line), recipients) ?? '250 ok';
      if (reply.startsWith('2')) recipients.push(address(line));
      say(reply);
    },
    DATA() {
      inData = recipients.length > 0;
      say(inData ? '354 go ahead' : '503 no recipients');
    },
    QUIT: () => socket.end('221 bye\r\n'),
  };
  return {
    get inData() {
      return inData;
    },
    command(line: string): void {
      const obey = verbs[line.slice(0, 4).toUpperCase()];
      if (obey === undefined) say('502 unimplemented');
      else obey(line);
    },
    letter(data: string): void {
      inData = false;
      const body = data.replace(/\r\n\./g, '\r\n').replace(/^\./, '');
      const received = { returnPath, recipients, body };
      const reply = sink.answers.data?.(received) ?? '250 accepted';
      if (reply.startsWith('2')) sink.letters.push(received);
      recipients = [];
      say(reply);
    },
  };
}
