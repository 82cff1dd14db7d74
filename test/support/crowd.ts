/** Clients that hold a connection and hardly use it: idle ones, and ones that drip a byte a second. */
import { connect, type Socket } from 'node:net';

export type Drip = 'command' | 'letter';

export type Loiterer = {
  /** All that the door said. */
  readonly heard: () => string;
  /** Milliseconds from connecting to being sent away; `undefined` while it stays. */
  readonly stayedMs: () => number | undefined;
  readonly leave: () => void;
};

/** So many connect at once; the others wait their turn, as a backlog is finite. */
const atOnce = 250;

/** Resolves when all have been greeted or sent away. */
export async function loiter(
  port: number,
  count: number,
  begin: (socket: Socket) => void = () => undefined,
): Promise<readonly Loiterer[]> {
  const loiterers: Loiterer[] = [];
  for (let done = 0; done < count; done += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, count - done) }, () => arrive(port, begin));
    loiterers.push(...(await Promise.all(some)));
  }
  return loiterers;
}

/** A byte a second of a command that never ends, or of a letter. */
export const dripping =
  (what: Drip, everyMs = 1_000) =>
  (socket: Socket): void => {
    const opening =
      'EHLO drip\r\nMAIL FROM:<drip@far.test>\r\nRCPT TO:<demo@demo.test>\r\nDATA\r\n';
    socket.write(what === 'letter' ? opening : 'EHLO drip\r\n');
    const timer = setInterval(() => socket.write('x'), everyMs);
    socket.once('close', () => clearInterval(timer));
  };

function arrive(port: number, begin: (socket: Socket) => void): Promise<Loiterer> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const since = performance.now();
    let heard = '';
    let stayedMs: number | undefined;
    const loiterer: Loiterer = {
      heard: () => heard,
      stayedMs: () => stayedMs,
      leave: () => void socket.destroy(),
    };
    // Who drips into a closed connection hears an error; it is the end like any other.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      stayedMs ??= performance.now() - since;
      resolve(loiterer);
    });
    socket.on('data', (chunk: Buffer) => {
      const greeted = heard === '' && chunk.toString('latin1').startsWith('220');
      heard += chunk.toString('latin1');
      if (greeted) begin(socket);
      resolve(loiterer);
    });
  });
}

/** How many have been sent away, and with which words. */
export function farewells(loiterers: readonly Loiterer[]): { readonly [code: string]: number } {
  const counts: { [code: string]: number } = {};
  for (const { heard, stayedMs } of loiterers) {
    if (stayedMs() === undefined) continue;
    const last =
      /(?:^|\n)([45][0-9]{2} [45]\.[0-9]\.[0-9])[^\n]*\r\n$/.exec(heard())?.[1] ?? 'no word';
    counts[last] = (counts[last] ?? 0) + 1;
  }
  return counts;
}
