/** maildirwatch: what is new in a Maildir, on a terminal, every half minute until it is stopped. */
import { closeSync, opendirSync, openSync, readSync } from 'node:fs';
import type { Clock } from '../../../platform/clock.ts';
import { errnoOf, errorWords } from '../../../platform/errno.ts';
import type { Print } from '../lib/print.ts';
import { tryLater, type Program } from '../lib/program.ts';
import { forTerminal, gistBytes, gistOf, type Gist } from './gist.ts';
import { cleanTmp, lettersIn } from './maildir-letters.ts';

export type WatchTools = {
  readonly clock: Clock;
  readonly print: Print;
  /** When to look; the watch ends with it. */
  readonly looks: AsyncIterable<unknown>;
};

/** Cursor home, and nothing from there on. */
const clearScreen = '\x1b[;H\x1b[;J';

const textLength = 158;

/** Reads `MAILDIR`. */
export const maildirwatch =
  ({ clock, print, looks }: WatchTools): Program =>
  async ({ env }) => {
    const maildir = env['MAILDIR'];
    if (maildir === undefined) throw tryLater('MAILDIR not set');
    for await (const _ of looks) {
      cleanTmp(maildir, clock.now());
      print(clearScreen + formatNews(newsIn(maildir, clock)));
    }
    return 0;
  };

const formatNews = (news: readonly Gist[]): string =>
  news
    .map(
      ({ sender, recipient, from, text }) =>
        `FROM ${forTerminal(sender, '?')} TO <${forTerminal(recipient, '?')}>\n` +
        (from === '' ? '' : `\x1b[1m${forTerminal(from, '/')}\x1b[0m\n`) +
        `${forTerminal(text, '/', textLength)}\n\n`,
    )
    .join('');

function newsIn(maildir: string, clock: Clock): readonly Gist[] {
  try {
    opendirSync(maildir).closeSync();
  } catch (cause) {
    throw tryLater(`unable to chdir to ${maildir}: ${errorWords(cause)}`);
  }
  try {
    return lettersIn(maildir, ['new'], clock.now()).flatMap(({ path }) => readGist(path) ?? []);
  } catch (cause) {
    throw tryLater(`unable to scan $MAILDIR/new: ${errorWords(cause)}`);
  }
}

/** `undefined`: a reader has taken it away meanwhile. */
function readGist(path: string): Gist | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw cause;
  }
  try {
    const head = Buffer.alloc(gistBytes);
    return gistOf(head.toString('latin1', 0, readSync(fd, head, 0, gistBytes, 0)));
  } finally {
    closeSync(fd);
  }
}
