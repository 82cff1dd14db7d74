/**
 * Lines to stdout. When the reader goes away (`waybill log | head`) the rest is silently dropped, and
 * `gone` tells loops that nobody listens any more.
 */
import { foldLine } from './fold-line.ts';

export type Output = {
  line(text: string): void;
  /** Resolves when all lines so far are taken, or nobody takes them any more. */
  drained(): Promise<void>;
  readonly gone: boolean;
};

/** So much is collected before it is written. */
const chunkCharacters = 32_768;

/** For sentences: folded to the width of a terminal, where there is one and they are not asked for as JSON. */
export const openWords = (json: boolean | undefined): Output =>
  json === true ? openOutput() : openOutput(process.stdout, foldLine);

export function openOutput(
  stream: NodeJS.WriteStream = process.stdout,
  fold?: (text: string, columns: number) => string,
): Output {
  let buffered = '';
  let gone = false;
  stream.on('error', (cause: NodeJS.ErrnoException) => {
    gone = true;
    if (cause.code !== 'EPIPE') throw cause;
  });
  const flush = (): void => {
    if (buffered === '') return;
    const text = buffered;
    buffered = '';
    if (!gone) stream.write(text);
  };
  return {
    get gone() {
      return gone;
    },
    line(text) {
      if (gone) return;
      const width = stream.isTTY ? stream.columns : 0;
      buffered += `${fold === undefined || width === 0 ? text : fold(text, width)}\n`;
      if (buffered.length >= chunkCharacters) flush();
    },
    async drained() {
      flush();
      // Even a pipe that takes everything at once reports its end in a later turn.
      await new Promise((resolve) => setImmediate(resolve));
      // Asked of the stream itself: in that turn it may have said already that it takes more.
      while (stream.writableNeedDrain && !gone) await nextNews(stream);
    },
  };
}

/** Resolves when the stream takes more, or never will. */
function nextNews(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    const heard = (): void => {
      for (const name of ['drain', 'error', 'close']) stream.off(name, heard);
      resolve();
    };
    for (const name of ['drain', 'error', 'close']) stream.on(name, heard);
  });
}
