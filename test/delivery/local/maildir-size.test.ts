/** Quotas of Maildirs (Maildir++): who counts, when, and what happens to a letter that is too much. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { systemFiles, type FileCalls } from '../../../src/delivery/local/file-calls.ts';
import type { LocalSettings } from '../../../src/delivery/local/delivery.ts';
import { ManualClock } from '../../../src/platform/clock.ts';
import { parseQuota } from '../../../src/mail/quota.ts';
import { bodyOf, Home, plainLetter, post, then } from './story.ts';

let home: Home;
beforeEach(() => {
  home = new Home().maildir();
});
afterEach(() => home.remove());

const full = 'DThe mailbox is full: it is over its quota. (#5.2.2)\n';
const done = 'Kdid 1+0+0\n';
/** The letter with Return-Path and Delivered-To. */
const bytes = 'Return-Path: <s@q.r>\nDelivered-To: joe@demo.test\nSubject: hello\n\nline\n'.length;

let letters = 0;
/** Another letter each time. */
const send = async (settings: Partial<LocalSettings> = {}, files: FileCalls = systemFiles) => {
  const last = (letters += 1).toString(16).padStart(12, '0');
  const message = `019aa0c5-1234-7000-8000-${last}`;
  return (await post(home, { message, settings, parts: { files } })).said;
};

/** Written so long before now. */
const size = (text: string, agoMs = 0) => {
  home.write('Maildir/maildirsize', text);
  const at = (then - agoMs) / 1000;
  utimesSync(join(home.path, 'Maildir/maildirsize'), at, at);
};

const sizeFile = () => home.read('Maildir/maildirsize');

describe('a Maildir', () => {
  it('without a quota is not counted', async () => {
    expect(await send()).toBe(done);
    expect(existsSync(join(home.path, 'Maildir/maildirsize'))).toBe(false);
    expect(home.list('Maildir/new')[0]).not.toContain(',S=');
  });

  it('with room takes a letter, notes it, and tells its size in its name', async () => {
    size('1000S,5C\n100 2\n');
    expect(await send()).toBe(done);
    expect(sizeFile()).toBe(`1000S,5C\n100 2\n${bytes} 1\n`);
    expect(home.list('Maildir/new')[0]).toMatch(new RegExp(`,S=${bytes}$`));
  });

  it('that holds as many letters as it may takes no more, for good or for now', async () => {
    size('5C\n100 5\n');
    expect(await send()).toBe(full);
    expect(await send({ overQuota: 'defer' })).toBe(
      'ZThe mailbox is full: it is over its quota. (#4.2.2)\n',
    );
    expect(home.letters()).toEqual([]);
    expect(home.list('Maildir/tmp')).toEqual([]);
  });

  it('is counted again when it looks full and the count is old', async () => {
    size('1000S\n990 9\n', 15 * 60_000);
    home.write('Maildir/cur/a:2,S', 'x'.repeat(10)).write('Maildir/new/b,S=20', 'not looked at');
    expect(await send()).toBe(done);
    expect(sizeFile()).toBe(`1000S\n30 2\n${bytes} 1\n`);
  });

  it('is counted again when it looks full after changes, and may be full indeed', async () => {
    size(`${bytes + 10}S\n0 0\n5 1\n7 1\n`);
    home.write('Maildir/cur/a:2,', 'x'.repeat(11));
    expect(await send()).toBe(full);
    expect(sizeFile()).toBe(`${bytes + 10}S\n11 1\n`);
  });

  it('is not counted again after every letter for a full one', async () => {
    size(`${bytes}S\n11 1\n`);
    const readdirSync = (() => {
      throw new Error('counted');
    }) as unknown as FileCalls['readdirSync'];
    expect(await send({}, { ...systemFiles, readdirSync })).toBe(full);
  });

  it('gets its folders counted, but neither the trash nor what was thrown away', async () => {
    for (const folder of ['.Sent/cur', '.Trash/cur', '.Sent/new']) {
      mkdirSync(join(home.path, 'Maildir', folder), { recursive: true });
    }
    home
      .write('Maildir/.Sent/cur/a,S=1000:2,S', '')
      .write('Maildir/.Trash/cur/b,S=5000:2,S', '')
      .write('Maildir/cur/c,S=9000:2,ST', '')
      .write('Maildir/cur/.d', 'x');
    size('100000S\nnonsense\n');
    expect(await send()).toBe(done);
    expect(sizeFile()).toBe(`100000S\n1000 1\n${bytes} 1\n`);
  });

  it('has its file written anew before that grows long', async () => {
    size(`10000S\n${'1 0\n'.repeat(1_300)}`);
    expect(await send()).toBe(done);
    expect(sizeFile()).toBe(`10000S\n0 0\n${bytes} 1\n`);
  });

  it('gets the quota of the settings with its first letter, and keeps its own', async () => {
    const maildirQuota = parseQuota('1000S')!;
    expect(await send({ maildirQuota })).toBe(done);
    expect(sizeFile()).toBe(`1000S\n0 0\n${bytes} 1\n`);
    expect(await send({ maildirQuota: parseQuota('1S')! })).toBe(done);
    size('NOQUOTA\n');
    expect(await send({ maildirQuota: parseQuota('1S')! })).toBe(done);
    rmSync(join(home.path, 'Maildir/maildirsize'));
    expect(await send({ maildirQuota: parseQuota('1S')! })).toBe(full);
  });

  it('whose size cannot be told takes its letters', async () => {
    mkdirSync(join(home.path, 'Maildir/maildirsize'));
    expect(await send({ maildirQuota: parseQuota('1S')! })).toBe(done);
  });

  it('that lacks room for a large letter does not get a part of it', async () => {
    size('100000S\n0 0\n');
    const body = bodyOf(plainLetter.repeat(10_000), 65_536);
    expect((await post(home, { body })).said).toBe(full);
    const small = bodyOf(plainLetter.repeat(1_000), 4_096);
    expect((await post(home, { body: small })).said).toBe(done);
    expect(sizeFile()).toMatch(/^100000S\n0 0\n210\d\d 1\n$/);
  });

  it('counts a letter once, though its delivery is tried again', async () => {
    size('100000S\n0 0\n');
    home.write('.qmail', './Maildir/\n|exit 111\n');
    await post(home, { parts: { clock: new ManualClock(then) } });
    await post(home, { attempt: 2 });
    expect(home.letters()).toHaveLength(1);
    expect(sizeFile()).toBe(`100000S\n0 0\n${bytes} 1\n`);
  });
});
