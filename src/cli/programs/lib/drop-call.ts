/**
 * A call that nobody answers: the letter goes into the drop box of the data directory, for the engine to
 * take when it is back. Loaded only when it is needed.
 */
import { defaultWords, readWords } from '../../../control/config-words.ts';
import { dropLetter, type DropLetter } from '../../../ingress/drop/put.ts';
import { errnoOf, errorWords } from '../../../platform/errno.ts';
import type { EngineCall } from './engine-call.ts';
import type { Places } from './places.ts';
import { QueueTrouble } from './queue-trouble.ts';

const directory = 'drop';
const mebibyte = 1024 * 1024;

/** Must be called with the data directory as working directory. Throws `QueueTrouble` 63 where there is no box for us. */
export function callDropBox(places: Places, user: string): EngineCall {
  const leastFreeBytes = leastFreeIn(places);
  let recipients: string[] = [];
  let letter: DropLetter | undefined = open(leastFreeBytes);
  let name = letter.name;
  const current = (): DropLetter => (letter ??= open(leastFreeBytes));
  const abandon = (): void => {
    letter?.abandon();
    letter = undefined;
    recipients = [];
  };
  return {
    get id() {
      return `drop-${(name = current().name)}`;
    },
    async to(more) {
      recipients.push(...more);
    },
    async write(bytes) {
      onDisk(() => current().write(bytes));
    },
    async accept({ sender, recipients: last }, bytes) {
      const whole = current();
      const envelope = { pid: process.pid, user, sender, recipients: [...recipients, ...last] };
      onDisk(() => {
        whole.write(bytes);
        whole.finish(envelope);
      });
      letter = undefined;
      recipients = [];
      return `drop-${name}`;
    },
    async abandon() {
      abandon();
    },
    async close() {
      abandon();
    },
  };
}

function open(leastFreeBytes: number): DropLetter {
  try {
    return dropLetter(directory, leastFreeBytes);
  } catch (cause) {
    const why = errnoOf(cause) === undefined ? String(cause) : errorWords(cause);
    throw new QueueTrouble(63, `no engine runs here, and its drop box takes nothing: ${why}`);
  }
}

/** What the disk says no to is the disk's trouble, and over some day. */
function onDisk(work: () => void): void {
  try {
    work();
  } catch (cause) {
    throw errnoOf(cause) === undefined ? cause : new QueueTrouble(53, errorWords(cause));
  }
}

/** As much as the engine keeps free; where its settings cannot be read, what it keeps by itself. */
function leastFreeIn({ config }: Places): number {
  try {
    return readWords('log', { dir: config, env: process.env }).min_free_mib * mebibyte;
  } catch {
    return defaultWords.log.min_free_mib * mebibyte;
  }
}
