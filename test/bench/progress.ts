/** How far the bench is, on stderr: a bar that moves on a terminal, a line per step elsewhere. */

export type Progress = {
  /** So many steps are to come in all. */
  expect(steps: number): void;
  /** Begins the next step; `done` tells how much of what is going on is done, for the rate. */
  step(scenario: string, what: string, done?: () => number): void;
  /** A word for whoever watches, above the bar. */
  say(line: string): void;
  end(): void;
};

const width = 24;
const everyMs = 500;

export function openProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  let steps = 0;
  let begun = 0;
  let text = '';
  let done: (() => number) | undefined;
  let before = { at: 0, done: 0 };
  const draw = (): void => {
    const at = performance.now();
    const now = done?.() ?? 0;
    const rate = ((now - before.done) * 1000) / Math.max(1, at - before.at);
    before = { at, done: now };
    const bar = '#'
      .repeat(Math.round(((begun - 1) / Math.max(1, steps)) * width))
      .padEnd(width, '.');
    const speed = done === undefined ? '' : `, ${Math.round(Math.max(0, rate))}/s`;
    stream.write(`\r\x1b[K[${bar}] ${begun}/${steps} ${text}${speed}`);
  };
  const timer = stream.isTTY ? setInterval(draw, everyMs) : undefined;
  timer?.unref();
  return {
    expect: (count) => void (steps += count),
    step(scenario, what, counter) {
      begun += 1;
      text = `${scenario}: ${what}`;
      done = counter;
      before = { at: performance.now(), done: counter?.() ?? 0 };
      if (stream.isTTY) draw();
      else stream.write(`bench ${begun}/${steps} ${text}\n`);
    },
    say(line) {
      stream.write(`${stream.isTTY ? '\r\x1b[K' : ''}bench: ${line}\n`);
    },
    end() {
      clearInterval(timer);
      if (stream.isTTY) stream.write('\r\x1b[K');
    },
  };
}
