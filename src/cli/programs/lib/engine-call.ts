/**
 * A call at the engine's door for local programs; without an engine, the log itself where it is ours, and
 * the drop box where it is not.
 */
import { lstatSync } from 'node:fs';
import type { QueueEnvelope } from '../../../ingress/inject/queue-envelope.ts';
import { logFile } from '../../../log/sqlite/log-file.ts';
import { dialLink } from '../../../platform/dial-link.ts';
import { errnoOf } from '../../../platform/errno.ts';
import type { Link } from '../../../platform/link.ts';
import { meet, type Challenge } from '../../../platform/meet-challenge.ts';
import type { Places } from './places.ts';
import { QueueTrouble } from './queue-trouble.ts';

export interface EngineCall {
  /** Of the next letter that is accepted. */
  readonly id: string;
  to(recipients: readonly string[]): Promise<void>;
  write(bytes: Uint8Array): Promise<void>;
  /** Adds recipients and bytes, and resolves with the letter's id when all of it is on disk. */
  accept(envelope: QueueEnvelope, bytes: Uint8Array): Promise<string>;
  /** Forgets what was written so far. */
  abandon(): Promise<void>;
  close(): Promise<void>;
}

const helloMs = 10_000;
const answerMs = 120_000;

/** No request carries more than this. */
const partBytes = 256 * 1024;
const partChars = 64 * 1024;

/** Changes to the data directory: a socket's path must be short. Throws `QueueTrouble` and troubles. */
export async function callEngine(places: Places, user: string): Promise<EngineCall> {
  try {
    process.chdir(places.data);
  } catch (cause) {
    throw new QueueTrouble(61, String(cause));
  }
  let link: Link;
  try {
    link = await dialLink('run/inject.sock');
  } catch (cause) {
    const code = errnoOf(cause) ?? '';
    if (code === 'EACCES') throw new QueueTrouble(62, String(cause));
    if (!['ENOENT', 'ECONNREFUSED', 'EAGAIN'].includes(code)) throw cause;
    return callNobody(places, user);
  }
  try {
    return await introduce(link, user);
  } catch (cause) {
    link.close();
    throw cause;
  }
}

/** No engine runs: whoever owns its log writes there, anybody else into the drop box. */
async function callNobody(places: Places, user: string): Promise<EngineCall> {
  if (isOurs(logFile)) return (await import('./alone.ts')).callAlone(places, user);
  return (await import('./drop-call.ts')).callDropBox(places, user);
}

/** Another user's files among the engine's would stop it at its next start: root's, too. */
function isOurs(path: string): boolean {
  try {
    return lstatSync(path).uid === process.geteuid?.();
  } catch {
    // None there, or in a folder that is closed to us.
    return false;
  }
}

async function introduce(link: Link, user: string): Promise<EngineCall> {
  const hello = { pid: process.pid, user };
  const { value } = await link.request('hello', hello, { timeoutMs: helloMs });
  const { id, ...challenge } = value as Challenge & { readonly id: string };
  try {
    meet(challenge);
  } catch (cause) {
    throw new QueueTrouble(62, String(cause));
  }
  return new LinkedCall(link, id);
}

class LinkedCall implements EngineCall {
  readonly #link: Link;
  #id: string;

  constructor(link: Link, id: string) {
    this.#link = link;
    this.#id = id;
  }

  get id(): string {
    return this.#id;
  }

  async to(recipients: readonly string[]): Promise<void> {
    for (let at = 0; at < recipients.length;) {
      const part: string[] = [];
      for (let chars = 0; at < recipients.length && chars < partChars; at += 1) {
        part.push(recipients[at]!);
        chars += recipients[at]!.length;
      }
      await this.#ask('to', { recipients: part });
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength; at += partBytes) {
      await this.#ask('write', {}, bytes.subarray(at, at + partBytes));
    }
  }

  async accept({ sender, recipients }: QueueEnvelope, bytes: Uint8Array): Promise<string> {
    await this.to(recipients);
    const { value } = await this.#ask('accept', { sender }, bytes);
    const { id, next } = value as { readonly id: string; readonly next: string };
    this.#id = next;
    return id;
  }

  async abandon(): Promise<void> {
    const { value } = await this.#ask('abandon', {});
    this.#id = (value as { readonly next: string }).next;
  }

  async close(): Promise<void> {
    this.#link.close();
  }

  #ask(method: string, args: unknown, bytes?: Uint8Array) {
    return this.#link.request(method, args, { bytes, timeoutMs: answerMs });
  }
}
