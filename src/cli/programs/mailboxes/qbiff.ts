/** qbiff: tells a user on his terminals that a letter has come. `|qbiff` in a .qmail file */
import { closeSync, constants, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import type { Program } from '../lib/program.ts';
import { forTerminal, gistBytes, gistOf } from './gist.ts';
import { parseUtmp, recordBytes, type Login } from './utmp.ts';

export interface Terminals {
  logins(): readonly Login[];
  /** Owner and mode; throws where there is no such terminal. */
  look(line: string): { readonly uid: number; readonly mode: number };
  /** Must not wait for a terminal that is stopped. */
  write(line: string, text: string): void;
}

/** `biff y` sets it. */
const wantsNews = 0o100;

const textLength = 78;

/** Whatever happens, the letter is not touched by it: the exit code is always 0. */
export const qbiff =
  ({ terminals, uid }: { readonly terminals: Terminals; readonly uid: number }): Program =>
  async ({ env, input }) => {
    const { USER: user, SENDER: sender, LOCAL: local } = env;
    if (user === undefined || sender === undefined || local === undefined) return 0;
    try {
      const { text } = gistOf(await headOf(input()));
      const news =
        `\r\n\x07*** TO <${forTerminal(local, '_')}> FROM <${forTerminal(sender, '_')}>\r\n` +
        `    ${forTerminal(text, '/', textLength)}\r\n`;
      for (const login of terminals.logins()) {
        if (login.user === user) tell(terminals, login, uid, news);
      }
    } catch {
      // Nobody is told then.
    }
    return 0;
  };

function tell(terminals: Terminals, { line }: Login, uid: number, news: string): void {
  try {
    const { uid: owner, mode } = terminals.look(line);
    if (owner === uid && (mode & wantsNews) !== 0) terminals.write(line, news);
  } catch {
    // Gone, or somebody else's by now; the next one may hear us.
  }
}

async function headOf(input: AsyncIterable<Buffer>): Promise<string> {
  let head = '';
  for await (const chunk of input) {
    head += chunk.toString('latin1');
    if (head.length >= gistBytes) break;
  }
  return head.slice(0, gistBytes);
}

export const systemTerminals: Terminals = {
  logins: () => parseUtmp(readFileSync('/var/run/utmp'), recordBytes(process.arch)),
  look: (line) => statSync(`/dev/${line}`),
  write(line, text) {
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    const fd = openSync(`/dev/${line}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
    try {
      writeSync(fd, text);
    } finally {
      closeSync(fd);
    }
  },
};
