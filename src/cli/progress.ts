/** Progress of long work, on a terminal only: one line on stderr that is wiped in the end. */
import { count, formatSpan } from '../trace/words.ts';

export type Progress = {
  /** So many of so many; `unit` in the plural. With `more` besides, how long it will take is told, too. */
  tell(done: number, of: number, unit?: string, more?: string): void;
  end(): void;
};

const everyMs = 200;
const barWidth = 30;

export function openProgress(
  what: string,
  stream: NodeJS.WriteStream = process.stderr,
  now: () => number = () => performance.now(),
): Progress {
  if (!stream.isTTY) return { tell: () => undefined, end: () => undefined };
  let toldAt = now();
  let shown = false;
  let begun = { unit: '', at: toldAt, done: 0 };
  return {
    tell(done, of, unit = 'events', more) {
      const at = now();
      const isNew = unit !== begun.unit;
      if (isNew) begun = { unit, at, done };
      // The first word on something new comes at once: it may be the only one for a long time.
      if (at - toldAt < everyMs && !(isNew && shown)) return;
      toldAt = at;
      shown = true;
      const seconds = (at - begun.at) / 1000;
      const perSecond = seconds > 0 ? Math.round((done - begun.done) / seconds) : 0;
      const line = formatProgress(what, done, of, unit, perSecond);
      stream.write(
        `\r\x1b[K${line}${more === undefined ? '' : moreWords(more, of - done, perSecond)}`,
      );
    },
    end() {
      if (shown) stream.write('\r\x1b[K');
    },
  };
}

/** `verifying [######........] 45 %, 450,000 of 1,000,000 events, 210,000/s`; fits a terminal of 100 columns. */
export function formatProgress(
  what: string,
  done: number,
  of: number,
  unit: string,
  perSecond: number,
): string {
  const part = of === 0 ? 1 : Math.min(1, done / of);
  const bar = '#'.repeat(Math.floor(part * barWidth)).padEnd(barWidth, '.');
  const amount = of <= 1 ? unit : `${digits(done)} of ${count(of, unit, unit)}`;
  const rate = perSecond > 0 ? `, ${digits(perSecond)}/s` : '';
  return `${what} [${bar}] ${Math.floor(part * 100)} %, ${amount}${rate}`;
}

function moreWords(more: string, left: number, perSecond: number): string {
  const time = perSecond > 0 && left > 0 ? `, ${formatSpan((left / perSecond) * 1000)} left` : '';
  return `${more === '' ? '' : `, ${more}`}${time}`;
}

const digits = (amount: number): string => amount.toLocaleString('en-US');
