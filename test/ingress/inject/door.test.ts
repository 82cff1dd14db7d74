/** The door for local programs: who calls is the kernel's word, and all that a caller can do is hand in letters. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { duplexPair } from 'node:stream';
import {
  injectDoor,
  type InjectDoor,
  type InjectLimits,
} from '../../../src/ingress/inject/door.ts';
import { Trouble } from '../../../src/mail/trouble.ts';
import { ManualClock } from '../../../src/platform/clock.ts';
import { openLink, type Link } from '../../../src/platform/link.ts';
import type { LocalCallers } from '../../../src/platform/local-callers.ts';
import type { Challenge } from '../../../src/platform/meet-challenge.ts';
import { MemoryIntake } from '../memory-intake.ts';

const at = Date.UTC(2026, 10, 20, 23, 48, 1);

/** Callers who say themselves who they are, in the word of their challenge. */
class ScriptedCallers implements LocalCallers {
  readonly met = new Map<string, number>();
  forgotten = 0;
  #next = 0;
  challenge = (): Challenge => ({ path: `p${(this.#next += 1)}`, word: 'w' });
  uidOf = ({ path }: Challenge): number | undefined => this.met.get(path);
  forget = (): void => void (this.forgotten += 1);
}

let intake: MemoryIntake;
let callers: ScriptedCallers;
let clock: ManualClock;
let door: InjectDoor;

function open(limits: Partial<InjectLimits> = {}): void {
  door = injectDoor({
    intake,
    callers,
    clock,
    limits,
    report: (_what, cause) => {
      throw cause;
    },
  });
}

beforeEach(() => {
  intake = new MemoryIntake();
  callers = new ScriptedCallers();
  clock = new ManualClock(at);
  open();
});

function dial(): Link {
  const [ours, theirs] = duplexPair();
  door.take(ours);
  return openLink(theirs);
}

/** A caller that has said hello, and has proved to be `uid`. */
async function call(uid: number | undefined, hello: object = { pid: 1234, user: 'joe' }) {
  const link = dial();
  const { value } = await link.request('hello', hello);
  const { path, id } = value as Challenge & { id: string };
  if (uid !== undefined) callers.met.set(path, uid);
  return { link, id };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('a local program', () => {
  it('hands in a letter that names its user on top, and is recorded with what it calls itself', async () => {
    const { link, id } = await call(1000);
    await link.request('to', { recipients: ['a@b.c', 'd@e.f'] });
    const bytes = Buffer.from('Subject: x\n\nline\n');
    const { value } = await link.request('accept', { sender: 'joe@x.y' }, { bytes });
    expect(value).toMatchObject({ id });
    expect(intake.letters).toEqual([
      {
        id,
        envelope: { returnPath: 'joe@x.y', recipients: ['a@b.c', 'd@e.f'] },
        arrival: { protocol: 'local', uid: 1000, user: 'joe' },
        body:
          'Received: (qmail 1234 invoked by uid 1000); 20 Nov 2026 23:48:01 -0000\r\n' +
          'Subject: x\r\n\r\nline\r\n',
      },
    ]);
  });
  it('hands in one letter after the other, each with a name of ours', async () => {
    const { link, id } = await call(1000);
    const first = (await link.request('accept', { sender: '' })).value as { next: string };
    await link.request('write', {}, { bytes: Buffer.from('x\n') });
    const second = (await link.request('accept', { sender: '' })).value as { id: string };
    expect([id, first.next]).toEqual(intake.letters.map((letter) => letter.id));
    expect(second.id).toBe(first.next);
    expect(id).not.toBe(second.id);
  });
  it('may change its mind', async () => {
    const { link } = await call(1000);
    await link.request('to', { recipients: ['gone@b.c'] });
    await link.request('write', {}, { bytes: Buffer.from('gone\n') });
    await link.request('abandon', {});
    await link.request('accept', { sender: '' }, { bytes: Buffer.from('kept\n') });
    expect(intake.letters).toHaveLength(1);
    expect(intake.letters[0]).toMatchObject({ envelope: { recipients: [] } });
    expect(intake.letters[0]?.body).toMatch(/-0000\r\nkept\r\n$/);
  });
  it('is told of by its bytes and addresses: eight bits, UTF-8', async () => {
    const { link } = await call(1000);
    await link.request('to', { recipients: ['jörg@b.c'] });
    await link.request('accept', { sender: '' }, { bytes: Buffer.from('ü\n') });
    expect(intake.letters[0]?.arrival).toMatchObject({ eightBit: true, utf8: true });
  });
  it('whose line ends in CR LF already gets no second CR, wherever the pieces end', async () => {
    const { link } = await call(1000);
    await link.request('write', {}, { bytes: Buffer.from('a\r') });
    await link.request('accept', { sender: '' }, { bytes: Buffer.from('\nb\n') });
    expect(intake.letters[0]?.body).toMatch(/-0000\r\na\r\nb\r\n$/);
  });
  it('that cannot prove who it is hands in nothing', async () => {
    const { link } = await call(undefined);
    await expect(link.request('write', {}, { bytes: Buffer.from('x') })).rejects.toMatchObject({
      peer: 'cannot tell who calls (#4.7.0)',
    });
    await expect(link.request('accept', { sender: '' })).rejects.toMatchObject({ tryAgain: true });
    expect(intake.letters).toEqual([]);
  });
  it('gets nothing else served', async () => {
    const { link } = await call(1000);
    for (const method of [
      'operate',
      'receives',
      'body.read',
      'retry-all',
      'upload.open',
      'status',
    ]) {
      await expect(link.request(method, {})).rejects.toMatchObject({ peer: 'not served here' });
    }
  });
  it('that goes away leaves nothing behind', async () => {
    const { link } = await call(1000);
    await link.request('write', {}, { bytes: Buffer.from('half a let') });
    link.close();
    await settled();
    expect(intake).toMatchObject({ abandoned: 1, letters: [] });
    expect(door.calls).toBe(0);
  });
  it('hears why its letter is not taken, and can try again', async () => {
    intake.onAccept = () =>
      Promise.reject(new Trouble('log-full', { tryAgain: true, peer: 'full' }));
    const { link } = await call(1000);
    await expect(link.request('accept', { sender: '' })).rejects.toMatchObject({
      code: 'log-full',
    });
    intake.onAccept = () => Promise.resolve();
    await link.request('accept', { sender: '' }, { bytes: Buffer.from('again\n') });
    expect(intake.letters).toHaveLength(1);
  });
  it.each([
    ['to', { recipients: 'a@b.c' }],
    ['to', { recipients: [1] }],
    ['to', { recipients: ['a\0b'] }],
    ['to', { recipients: ['x'.repeat(1_003)] }],
    ['accept', {}],
    ['accept', { sender: 7 }],
    ['accept', { sender: 'a\0' }],
  ])('that says odd things is refused: %s %j', async (method, args) => {
    const { link } = await call(1000);
    await expect(link.request(method, args)).rejects.toMatchObject({
      code: 'refused',
      tryAgain: false,
    });
    expect(intake.letters).toEqual([]);
  });
  it('may call itself anything; what is no text or number is left out', async () => {
    const { link } = await call(1000, { pid: 'x', user: { a: 1 } });
    await link.request('accept', { sender: '' });
    expect(intake.letters[0]?.arrival).toEqual({ protocol: 'local', uid: 1000 });
    expect(intake.letters[0]?.body).toContain('(qmail 0 invoked by uid 1000)');
  });
  it('may name so many recipients and no more', async () => {
    const { link } = await call(1000);
    const recipients = Array(60).fill(`${'r'.repeat(990)}@x.y`) as string[];
    const some = () => link.request('to', { recipients });
    for (let i = 0; i < 70; i += 1) await some();
    await expect(some()).rejects.toMatchObject({ code: 'too-large' });
  });
});

describe('the door', () => {
  it('lets go of who does not say who it is, and of who does nothing', async () => {
    const silent = dial();
    const idle = (await call(1000)).link;
    await idle.request('to', { recipients: [] });
    clock.advance(10_001);
    await settled();
    expect(door.calls).toBe(1);
    clock.advance(3_600_000);
    await Promise.all([silent.closed, idle.closed]);
    expect(door.calls).toBe(0);
    expect(callers.forgotten).toBe(1);
  });
  it('keeps places free for other users when one has taken all of its own', async () => {
    open({ callsOfUser: 2 });
    const busy = [await call(1000), await call(1000), await call(1000)];
    await busy[0]!.link.request('to', { recipients: [] });
    await busy[1]!.link.request('to', { recipients: [] });
    await expect(busy[2]!.link.request('to', { recipients: [] })).rejects.toMatchObject({
      code: 'busy',
    });
    const other = await call(1001);
    await other.link.request('accept', { sender: '' });
    busy[0]!.link.close();
    await settled();
    await busy[2]!.link.request('accept', { sender: '' });
    expect(intake.letters.map(({ arrival }) => arrival.uid)).toEqual([1001, 1000]);
  });
  it('is shut when too many are inside', async () => {
    open({ calls: 1 });
    await call(1000);
    await expect(dial().request('hello', {})).rejects.toMatchObject({ code: 'link-down' });
  });
});
