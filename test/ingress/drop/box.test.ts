/** The drop box: whole letters are taken, each once, for whoever owns the file; everything else is set aside, and nothing is lost. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDropBox, type DropBox, type DropBoxParts } from '../../../src/ingress/drop/box.ts';
import { dropLetter } from '../../../src/ingress/drop/put.ts';
import { Trouble } from '../../../src/mail/trouble.ts';
import { ManualClock } from '../../../src/platform/clock.ts';
import { until } from '../../support/until.ts';
import { MemoryIntake } from '../memory-intake.ts';

const limit = 1_000_000;
const envelope = { pid: 77, user: 'joe', sender: 'joe@a.test', recipients: ['ann@b.test'] };
const name = 'a'.repeat(32);

let root: string;
let directory: string;
let aside: string;
let intake: MemoryIntake;
let begun: string[];
let told: { name: string; why: string; as: string | undefined }[];
let troubles: unknown[];
let clock: ManualClock;
let changed: () => void;
let box: DropBox;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'waybill-drop-'));
  directory = join(root, 'drop');
  aside = join(root, 'aside');
  mkdirSync(directory);
  mkdirSync(aside);
  open();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function open(parts: Partial<DropBoxParts> = {}): void {
  intake = new MemoryIntake();
  [begun, told, troubles] = [[], [], []];
  clock = new ManualClock(Date.now());
  box = openDropBox({
    ...{ directory, aside, clock, maxBytes: limit },
    begin(id) {
      begun.push(id);
      return intake.begin();
    },
    told: {
      aside: (odd, { why }, as) => told.push({ name: odd, why, as }),
      trouble: (cause) => troubles.push(cause),
    },
    watch: (_directory, onChange) => {
      changed = onChange;
      return () => undefined;
    },
    ...parts,
  });
}

function put(message: string, whose = envelope): string {
  const letter = dropLetter(directory, 0);
  letter.write(Buffer.from(message, 'latin1'));
  letter.finish(whose);
  return join(directory, letter.name);
}

const lying = () => readdirSync(directory);

describe('a letter in the drop box', () => {
  it('is taken with its envelope, in the name of whoever owns the file', async () => {
    const path = put('Subject: x\n\nbody\n');
    const { mode, uid, ctimeMs } = statSync(path);
    expect(mode & 0o777).toBe(0o640);
    await box.look();
    expect(lying()).toEqual([]);
    const [letter] = intake.letters;
    expect(letter).toMatchObject({
      envelope: { returnPath: 'joe@a.test', recipients: ['ann@b.test'] },
      arrival: { protocol: 'local', uid, user: 'joe', droppedAt: Math.floor(ctimeMs) },
    });
    expect(letter!.body).toMatch(
      new RegExp(`^Received: \\(qmail 77 invoked by uid ${uid} through the drop box\\); .*\r\n`),
    );
    expect(letter!.body.endsWith('\r\nSubject: x\r\n\r\nbody\r\n')).toBe(true);
  });
  it('arrives as it was written, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 }),
        fc.array(
          fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !text.includes('\0')),
        ),
        async (chunks, recipients) => {
          open();
          const letter = dropLetter(directory, 0);
          for (const chunk of chunks) letter.write(chunk);
          const wanted = recipients.map((text) => text.toWellFormed());
          letter.finish({ ...envelope, recipients: wanted });
          await box.look();
          const [taken] = intake.letters;
          expect(taken!.envelope.recipients).toEqual(wanted);
          const body = taken!.body.slice(taken!.body.indexOf('\r\n') + 2);
          const written = Buffer.concat(chunks).toString('latin1');
          const plain = (text: string) => text.replaceAll(/[\r\n]/g, '');
          expect(plain(body)).toBe(plain(written));
        },
      ),
      { numRuns: 15 },
    );
  });
  it('is left alone while its program writes it, and set aside when that has stopped for long', async () => {
    const letter = dropLetter(directory, 0);
    letter.write(Buffer.from('half'));
    await box.look();
    expect(lying()).toEqual([letter.name]);
    clock.advance(37 * 3_600_000);
    await box.look();
    expect(lying()).toEqual([]);
    expect(told).toMatchObject([{ name: letter.name, why: 'its program has not finished it' }]);
    expect(readdirSync(aside)).toEqual([told[0]!.as]);
    expect(intake.letters).toEqual([]);
  });
  it('stays while letters cannot be taken, and is then accepted under the same name', async () => {
    put('x\n');
    let after = false;
    // The answer got lost, as a stop would have it: the letter is in the log, and its file still here.
    intake.onAccept = () => {
      after = true;
      return Promise.reject(new Trouble('log-unavailable', { tryAgain: true, peer: 'later' }));
    };
    await expect(box.look()).rejects.toThrow('later');
    expect([after, lying().length]).toEqual([true, 1]);
    intake.onAccept = () => Promise.resolve();
    await box.look();
    expect(lying()).toEqual([]);
    expect(new Set(begun).size).toBe(1);
    expect(begun).toHaveLength(2);
  });
  it('has a name of its own, even with the same bytes in it', async () => {
    put('x\n');
    put('x\n');
    await box.look();
    expect(new Set(begun).size).toBe(2);
  });
  it('is set aside when it is refused for good', async () => {
    put('x\n', { ...envelope, recipients: ['a'.repeat(1_003)] });
    await box.look();
    expect(told).toMatchObject([{ why: 'odd request (#5.5.4)' }]);
    expect(readdirSync(aside)).toHaveLength(1);
  });
  it('that its owner has put in its place meanwhile is not removed with it', async () => {
    const path = put('first\n');
    intake.onAccept = async () => renameSync(put('second\n'), path);
    await box.look();
    expect(existsSync(path)).toBe(true);
    intake.onAccept = () => Promise.resolve();
    await box.look();
    expect(intake.letters.map(({ body }) => /first|second/.exec(body)?.[0])).toEqual([
      'first',
      'second',
    ]);
  });
  it('is not begun where the disk is nearly full', () => {
    expect(() => dropLetter(directory, Number.MAX_SAFE_INTEGER)).toThrow('disk full');
    expect(lying()).toEqual([]);
  });
  it('leaves nothing behind when its program thinks better of it', () => {
    const letter = dropLetter(directory, 0);
    letter.write(Buffer.from('x'));
    letter.abandon();
    expect(lying()).toEqual([]);
  });
});

describe('what is no letter', () => {
  it('is never taken for one, wherever it is cut or changed', async () => {
    const whole = readFileSync(put('Subject: x\n\nsome bytes\n'));
    await box.look();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, by, cut) => {
          open();
          const bytes = Buffer.from(whole);
          bytes[at]! ^= by;
          writeFileSync(join(directory, name), cut ? whole.subarray(0, at) : bytes);
          chmodSync(join(directory, name), 0o640);
          await box.look();
          expect(intake.letters).toEqual([]);
          expect(lying()).toEqual([]);
          expect(readFileSync(join(aside, told[0]!.as!))).toEqual(
            cut ? whole.subarray(0, at) : bytes,
          );
        },
      ),
      { numRuns: 60 },
    );
  });
  it.each([
    ['a symbolic link', () => symlinkSync('/etc/passwd', join(directory, name)), 'no file'],
    ['a pipe', () => spawnSync('mkfifo', [join(directory, name)]), 'no file'],
    [
      'a second name of a file',
      () => linkSync(put('x\n'), join(root, 'mine')),
      'it has other names (hard links)',
    ],
    ['another mode', () => chmodSync(put('x\n'), 0o4640), 'an odd mode'],
    [
      'a name with a line in it',
      () => renameSync(put('x\n'), join(directory, 'a\n\x1b[31mb')),
      'a name that none of our programs gives',
    ],
    [
      'too many bytes',
      () => truncateSync(put('x\n'), limit + 1),
      `${limit + 1} bytes are more than may come this way`,
    ],
  ])('is set aside, with a word: %s', async (_what, make, why) => {
    make();
    await box.look();
    expect(intake.letters).toEqual([]);
    expect(told).toMatchObject([{ why }]);
    expect(lying()).toEqual([]);
    expect(readdirSync(aside)).toEqual([told[0]!.as]);
  });
  it('has a name that is no text, and is set aside all the same', async () => {
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0xfe])]), '');
    await box.look();
    expect(told).toMatchObject([{ name: '\xff\xfe' }]);
    expect(lying()).toEqual([]);
  });
  it('does not keep letters behind it from being taken', async () => {
    // Set aside cannot be: the place for it is gone.
    rmSync(aside, { recursive: true });
    for (let n = 0; n < 20; n += 1) writeFileSync(join(directory, `rubbish ${n}`), 'x');
    put('good\n');
    await box.look();
    await box.look();
    expect(intake.letters).toHaveLength(1);
    // Told of once, left where it lies.
    expect(told.map(({ as }) => as)).toEqual(Array(20).fill(undefined));
    expect(lying()).toHaveLength(20);
  });
});

describe('the box of a running engine', () => {
  /** The box reads real files: how long it takes nobody knows. The clock goes on, so that it looks again and again. */
  const taken = (count: number, passing = 0) =>
    until(() => {
      clock.advance(passing);
      return intake.letters.length === count;
    }, `letter ${count}`);
  it('is looked at when it opens, when something changes, and now and then', async () => {
    put('one\n');
    box.open();
    await taken(1);
    await until(() => clock.next() !== undefined, 'the rest after it');
    put('two\n');
    clock.advance(1_000);
    changed();
    await taken(2);
    put('three\n');
    await taken(3, 31_000);
    await box.close();
  });
  it('rests after a trouble, whatever changes', async () => {
    put('one\n');
    intake.onBegin = () => {
      throw new Trouble('log-full', { tryAgain: true, peer: 'full' });
    };
    box.open();
    await until(() => troubles.length === 1, 'the trouble');
    changed();
    await sleep(50);
    expect(troubles).toHaveLength(1);
    intake.onBegin = () => undefined;
    await taken(1, 6_000);
    await box.close();
  });
});
