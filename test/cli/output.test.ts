import { describe, expect, it } from '@jest/globals';
import { Writable } from 'node:stream';
import { foldLine } from '../../src/cli/fold-line.ts';
import { openOutput } from '../../src/cli/output.ts';

/** A reader that takes each piece when `when` calls back. */
function openReader(when: (taken: () => void) => void) {
  let text = '';
  const stream = new Writable({
    highWaterMark: 16,
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      when(done);
    },
  });
  return { stream: stream as unknown as NodeJS.WriteStream, read: () => text };
}

describe('lines for a reader', () => {
  const line = 'x'.repeat(100);

  it('are waited for no longer than the reader takes, however quick it was', async () => {
    const { stream, read } = openReader((taken) => process.nextTick(taken));
    const output = openOutput(stream);
    for (let pages = 0; pages < 3; pages += 1) {
      output.line(line);
      await output.drained();
    }
    expect(read()).toBe(`${line}\n`.repeat(3));
  });

  it('are waited for until a slow reader has taken them', async () => {
    const { stream, read } = openReader((taken) => setTimeout(taken, 20));
    const output = openOutput(stream);
    output.line(line);
    await output.drained();
    expect([read(), stream.writableLength]).toEqual([`${line}\n`, 0]);
  });

  it('are folded for a terminal, where they are sentences', async () => {
    const { stream, read } = openReader((taken) => taken());
    Object.assign(stream, { isTTY: true, columns: 10 });
    for (const output of [openOutput(stream, foldLine), openOutput(stream)]) {
      output.line('a letter waits');
      await output.drained();
    }
    expect(read()).toBe('a letter\n    waits\na letter waits\n');
  });

  it('are dropped when the reader is gone', async () => {
    const { stream } = openReader(() => {
      stream.destroy(Object.assign(new Error('gone'), { code: 'EPIPE' }));
    });
    const output = openOutput(stream);
    output.line(line);
    await output.drained();
    output.line(line);
    await output.drained();
    expect(output.gone).toBe(true);
  });
});
