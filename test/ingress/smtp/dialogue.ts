/** A client that says what it is told, byte for byte, and listens line by line. */
import net from 'node:net';
import tls from 'node:tls';

const patienceMs = 60_000;

export class Dialogue {
  socket: net.Socket;
  #heard = '';
  #over = false;
  #wake: () => void = () => undefined;

  constructor(socket: net.Socket) {
    this.socket = socket;
    this.#listen(socket);
  }

  static async dial(port: number): Promise<Dialogue> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    const dialogue = new Dialogue(socket);
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return dialogue;
  }

  static async dialTls(port: number): Promise<Dialogue> {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const dialogue = new Dialogue(socket);
    await new Promise((resolve, reject) =>
      socket.once('secureConnect', resolve).once('error', reject),
    );
    return dialogue;
  }

  raw(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** One reply, its lines joined by `\n`; `undefined` when the server has closed. */
  async reply(): Promise<string | undefined> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.line();
      if (line === undefined) return lines.length === 0 ? undefined : lines.join('\n');
      lines.push(line);
      if (line[3] !== '-') return lines.join('\n');
    }
  }

  async ask(line: string): Promise<string | undefined> {
    this.raw(`${line}\r\n`);
    return this.reply();
  }

  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#heard.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#heard.slice(0, end);
        this.#heard = this.#heard.slice(end + 2);
        return line;
      }
      if (this.#over) return undefined;
      await this.#news();
    }
  }

  /** All that is said until the server closes. */
  async rest(): Promise<string> {
    while (!this.#over) await this.#news();
    return this.#heard;
  }

  async startTls(): Promise<void> {
    this.socket.removeAllListeners();
    const socket = tls.connect({ socket: this.socket, rejectUnauthorized: false });
    this.socket = socket;
    this.#listen(socket);
    await new Promise((resolve, reject) =>
      socket.once('secureConnect', resolve).once('error', reject),
    );
  }

  hangUp(): void {
    this.socket.destroy();
  }

  #listen(socket: net.Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#heard += chunk.toString('latin1');
      this.#wake();
    });
    const over = () => {
      this.#over = true;
      this.#wake();
    };
    socket.on('end', over).on('close', over).on('error', over);
  }

  #news(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`the server is silent; so far: ${JSON.stringify(this.#heard)}`));
      }, patienceMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
