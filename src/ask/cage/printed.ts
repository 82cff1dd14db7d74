/** What the process of a cage prints: lines for a person, and node's own last words when it is out of memory. */
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';

export type Printed = {
  /** Node has said so. */
  isOutOfMemory: boolean;
};

const mostLines = 100;
const longestLine = 1_000;
/** What node says when it is out of memory; many lines follow. */
const lastGasp = /^(<--- Last few GCs|FATAL ERROR|# Fatal|# *$|-----? Native stack trace)/;
const outOfMemory =
  /out of memory|Allocation failed|invalid (array |table )?size|allocation failed/i;

export function relayPrinted(
  { stdout, stderr }: ChildProcess,
  onLine: (line: string) => void,
): Printed {
  const printed: Printed = { isOutOfMemory: false };
  let count = 0;
  let isOver = false;
  const hear = (line: string): void => {
    isOver ||= lastGasp.test(line);
    if (isOver) printed.isOutOfMemory ||= outOfMemory.test(line);
    else if (count < mostLines && line !== '') onLine(line);
    else if (count === mostLines) onLine('and more, which is left out');
    count += 1;
  };
  for (const stream of [stdout!, stderr!]) hearLines(stream, hear);
  return printed;
}

/** Of a line that does not end no more is kept than of another. */
function hearLines(stream: Readable, hear: (line: string) => void): void {
  let line = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const [first = '', ...others] = text.split(/\r?\n/);
    line += first.slice(0, longestLine - line.length);
    for (const other of others) {
      hear(line);
      line = other.slice(0, longestLine);
    }
  });
  stream.on('end', () => {
    if (line !== '') hear(line);
  });
}
