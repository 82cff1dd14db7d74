/** A home in a temporary directory, and letters delivered to it; what a test does not say is valid. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import type { Owner } from '../../../src/aliases/owner.ts';
import { localChannel, type LocalParts } from '../../../src/delivery/local/channel.ts';
import type { LocalSettings } from '../../../src/delivery/local/delivery.ts';
import { ownIdentity } from '../../../src/delivery/local/identity.ts';
import { localLetter, type Letter } from '../../../src/delivery/local/letter.ts';
import { ManualClock, systemClock } from '../../../src/platform/clock.ts';
import { systemProcesses } from '../../../src/platform/system-processes.ts';
import type { AttemptReport, BodySource, Order } from '../../../src/queue/ports.ts';

/** Fri Nov 20 23:49:09 2026 UTC */
export const then = Date.UTC(2026, 10, 20, 23, 49, 9);

export const messageId = '019aa0c5-1234-7000-8000-00000000000a';

export const plainLetter = 'Subject: hello\r\n\r\nline\r\n';

/** In one piece, or in pieces of the given size. */
export function bodyOf(text: string, pieceBytes?: number): BodySource {
  const bytes = Buffer.from(text);
  const ref = { id: messageId, bytes: bytes.length, sha256: '' };
  async function* read() {
    const size = pieceBytes ?? bytes.length;
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  return pieceBytes === undefined ? { ref, inline: bytes, read } : { ref, read };
}

export const letterOf = (text: string, pieceBytes?: number): Letter =>
  localLetter(bodyOf(text, pieceBytes));

/** A body of which only the first half comes. */
export function brokenBody(text: string): BodySource {
  const whole = bodyOf(text, 1);
  async function* read() {
    yield Buffer.from(text.slice(0, text.length / 2));
    throw Object.assign(new Error('the disk is ill'), { code: 'EIO' });
  }
  return { ref: whole.ref, read };
}

export class Home {
  readonly root = mkdtempSync(join(tmpdir(), 'local-'));
  readonly path = join(this.root, 'joe');

  constructor() {
    mkdirSync(this.path);
  }

  write(name: string, text: string, mode = 0o600): this {
    writeFileSync(join(this.path, name), text);
    chmodSync(join(this.path, name), mode);
    return this;
  }

  maildir(name = 'Maildir'): this {
    for (const folder of ['tmp', 'new', 'cur']) {
      mkdirSync(join(this.path, name, folder), { recursive: true });
    }
    return this;
  }

  read(name: string): string {
    return readFileSync(join(this.path, name), 'utf8');
  }

  list(name: string): string[] {
    return readdirSync(join(this.path, name));
  }

  /** The letters in a Maildir's `new/`. */
  letters(name = 'Maildir'): string[] {
    return this.list(`${name}/new`).map((file) => this.read(`${name}/new/${file}`));
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

export type Story = {
  readonly owner?: Partial<Owner>;
  readonly local?: string;
  readonly domain?: string;
  readonly returnPath?: string;
  readonly body?: BodySource;
  readonly attempt?: number;
  readonly message?: string;
  readonly defaultDelivery?: string;
  readonly programTimeoutMs?: number;
  readonly settings?: Partial<LocalSettings>;
  readonly parts?: Partial<LocalParts>;
};

export function channelFor(home: Home, story: Story = {}) {
  const { local = 'joe' } = story;
  const ext = local.includes('-') ? local.slice(local.indexOf('-') + 1) : '';
  const dash = local.includes('-') ? '-' : '';
  const owner = { user: 'joe', home: home.path, dash, ext, ...story.owner };
  return localChannel({
    ownerOf: async () => owner,
    settings: () => ({
      defaultDelivery: story.defaultDelivery ?? './Maildir/',
      hostName: 'mx.demo.test',
      programTimeoutMs: story.programTimeoutMs ?? 10_000,
      programProcesses: 0,
      maildirQuota: {},
      overQuota: 'fail',
      ...story.settings,
    }),
    identity: ownIdentity({ uid: 1000, gid: 1000 }),
    processes: systemProcesses({ clock: systemClock }),
    clock: new ManualClock(then),
    scratchDirectory: home.root,
    inherited: { PATH: '/usr/bin:/bin', DEFAULT: 'stale' },
    ...story.parts,
  });
}

export const orderFor = (story: Story = {}): Order => ({
  message: story.message ?? messageId,
  attempt: story.attempt ?? 1,
  startedAt: then,
  channel: 'local',
  hop: { host: '' },
  returnPath: story.returnPath ?? 's@q.r',
  recipients: [{ rcpt: 0, address: `${story.local ?? 'joe'}@${story.domain ?? 'demo.test'}` }],
  body: story.body ?? bodyOf(plainLetter),
  eightBit: false,
  utf8: false,
});

/** Delivers to one recipient: `K`, `Z` or `D` and the report's text, as qmail-lspawn would write it. */
export async function post(home: Home, story: Story = {}) {
  const report: AttemptReport = await lastValueFrom(
    channelFor(home, story).attempt(orderFor(story)),
  );
  const [outcome] = report.outcomes;
  if (outcome === undefined) throw new Error('no outcome');
  const letter = { delivered: 'K', deferred: 'Z', failed: 'D' }[outcome.kind];
  return { said: letter + outcome.reply.text, outcome, forward: report.forwards?.[0] };
}
