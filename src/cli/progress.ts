/** Progress of long work, on a terminal only: one line on stderr that is wiped in the end. */

export type Progress = { tell(position: number, upTo: number): void; end(): void };

const everyMs = 200;

export function openProgress(what: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { tell: () => undefined, end: () => undefined };
  let told = Date.now();
  let shown = false;
  return {
    tell(position, upTo) {
      if (Date.now() - told < everyMs) return;
      told = Date.now();
      shown = true;
      const percent = upTo === 0 ? 100 : Math.floor((100 * position) / upTo);
      stream.write(`\r\x1b[K${what}: ${percent} % (event ${position} of ${upTo})`);
    },
    end() {
      if (shown) stream.write('\r\x1b[K');
    },
  };
}
