/** The stand-in's memory on disk: a line an event, written and synced in batches before anybody is answered. */
import { existsSync, openSync, readFileSync, truncateSync } from 'node:fs';
import { fdatasync, write } from 'node:fs';
import { promisify } from 'node:util';
import type { WireEvent } from '../../../src/gateway/answers.ts';
import type { Store } from './store.ts';

const writeTo = promisify(write);
const syncTo = promisify(fdatasync);

/** Fills the store from the file, and keeps it there; the answer is what `settled` wants. */
export function keepOnDisk(store: Store, file: string): () => Promise<void> {
  // What is torn goes, or the next line would be torn with it.
  if (existsSync(file)) truncateSync(file, restore(store, file));
  const fd = openSync(file, 'a');
  let lines: string[] = [];
  let writing: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  store.onWritten = (events) => {
    for (const event of events) lines.push(toLine(event));
  };
  const flush = async (): Promise<void> => {
    await writing.catch(() => undefined);
    next = undefined;
    const text = lines.join('');
    lines = [];
    if (text !== '') await writeTo(fd, text);
    await syncTo(fd);
  };
  return () => {
    if (next === undefined) writing = next = flush();
    return next;
  };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const toLine = (event: WireEvent): string =>
  `${JSON.stringify({ ...event, data: base64(event.data), metadata: base64(event.metadata) })}\n`;

/** The length of what is whole. */
function restore(store: Store, file: string): number {
  const bytes = readFileSync(file);
  const whole = bytes.lastIndexOf('\n') + 1;
  for (const line of bytes.toString('utf8', 0, whole).split('\n')) {
    if (line === '') break;
    const event = JSON.parse(line) as WireEvent & { data: string; metadata: string };
    store.restore({
      ...event,
      data: Buffer.from(event.data, 'base64'),
      metadata: Buffer.from(event.metadata, 'base64'),
    });
  }
  return whole;
}
