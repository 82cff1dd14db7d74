/** `waybill desk password` and `waybill desk link`: who may see the web page. Needs no running engine for the one, its token for the other. */
import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { readConfig } from '../control/config.ts';
import { deskUrl, tokenFile } from '../desk/places.ts';
import { makeTicket } from '../desk/guard/one-time-links.ts';
import { Trouble } from '../mail/trouble.ts';
import { errorWords } from '../platform/errno.ts';
import { hashPassword, passwordLength } from '../platform/password-hash.ts';
import { replaceFile } from '../platform/replace-file.ts';
import type { Places } from './places.ts';

const configOf = ({ config, data }: Places) => readConfig({ dir: config, env: process.env, data });

export async function deskPassword(places: Places, remove: boolean): Promise<void> {
  const { passwordFile } = configOf(places).desk;
  if (remove) {
    rmSync(passwordFile, { force: true });
    console.log('No password is set any more; a running engine obeys within a second or two.');
    return;
  }
  const password = process.stdin.isTTY ? await askTwice() : await firstLine();
  const { least, most } = passwordLength;
  if (password.length < least || password.length > most) {
    throw refused(`a password has ${least} to ${most} characters`);
  }
  replaceFile({
    ...{ target: passwordFile, temporary: `${passwordFile}.new`, mode: 0o600 },
    pieces: [Buffer.from(`${await hashPassword(password)}\n`)],
  });
  console.log(
    `Written to ${passwordFile}; a running engine asks for it within a second or two, and ends the sessions of the old one.`,
  );
}

async function askTwice(): Promise<string> {
  const password = await askUnseen('Password for the desk: ');
  if (password !== (await askUnseen('The same again: '))) throw refused('the two are not the same');
  return password;
}

/** What is typed is not shown. */
async function askUnseen(prompt: string): Promise<string> {
  process.stdout.write(prompt);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  const interrupted = new AbortController();
  lines.once('SIGINT', () => interrupted.abort());
  try {
    return await lines.question('', { signal: interrupted.signal });
  } catch {
    throw refused('no password was given');
  } finally {
    lines.close();
    process.stdout.write('\n');
  }
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line;
  throw refused('no password was given');
}

export function deskLink(places: Places): void {
  const { dataDir, desk } = configOf(places);
  if (!desk.enabled || desk.listen === undefined)
    throw refused('no web page is configured ([desk])');
  const { host, port } = desk.listen;
  const ticket = makeTicket(readToken(dataDir), Date.now());
  console.log(`${deskUrl(host, port)}enter?ticket=${ticket}`);
}

function readToken(dataDir: string): string {
  const file = join(resolve(dataDir), tokenFile);
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new Trouble('refused', {
      ...{ tryAgain: true, peer: 'no token' },
      detail: `${file} cannot be read (${errorWords(cause)}): it is made when the engine first serves its page, for the engine's user alone`,
    });
  }
}

const refused = (detail: string): Trouble =>
  new Trouble('refused', { tryAgain: false, peer: 'refused', detail });
