/** Who calls: proved by a link that only its owner can have made. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linkCallers } from '../../src/platform/local-callers.ts';
import { meet } from '../../src/platform/meet-challenge.ts';

let root: string;
let directory: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'waybill-callers-'));
  chmodSync(root, 0o711);
  directory = join(root, 'callers');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const me = process.geteuid!();
const asRoot = me === 0 ? it : it.skip;

describe('a caller', () => {
  it('is who owns the link of the name and word it was told, once', () => {
    const callers = linkCallers(directory);
    const challenge = callers.challenge();
    expect(callers.uidOf(challenge)).toBeUndefined();
    meet(challenge);
    expect(callers.uidOf(challenge)).toBe(me);
    expect(callers.uidOf(challenge)).toBeUndefined();
    expect(readdirSync(directory)).toEqual([]);
  });
  it('is nobody with another word, a plain file, a folder, or a link of two names', () => {
    const callers = linkCallers(directory);
    const [word, file, folder, twice] = [1, 2, 3, 4].map(() => callers.challenge());
    symlinkSync('another', word!.path);
    writeFileSync(file!.path, file!.word);
    mkdirSync(folder!.path);
    meet(twice!);
    linkSync(twice!.path, join(root, 'second'));
    for (const challenge of [word, file, folder, twice])
      expect(callers.uidOf(challenge!)).toBeUndefined();
    expect(readdirSync(directory)).toEqual([]);
  });
  it('never gets the same name or word twice', () => {
    const { challenge } = linkCallers(directory);
    const all = Array.from({ length: 200 }, challenge).flatMap(({ path, word }) => [path, word]);
    expect(new Set(all).size).toBe(400);
  });
  it('finds a directory where all may make files, none may look, and nothing old lies', () => {
    mkdirSync(directory);
    writeFileSync(join(directory, 'old'), '');
    linkCallers(directory);
    expect(lstatSync(directory).mode & 0o7777).toBe(0o1733);
    expect(readdirSync(directory)).toEqual([]);
  });
  it('is not led into a directory that a link stands for', () => {
    const elsewhere = join(root, 'elsewhere');
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'precious'), '');
    symlinkSync(elsewhere, directory);
    linkCallers(directory);
    expect(readdirSync(elsewhere)).toEqual(['precious']);
    expect(lstatSync(directory).isDirectory()).toBe(true);
  });
  asRoot('of another uid is that uid, and cannot be another', () => {
    const callers = linkCallers(directory);
    const mine = callers.challenge();
    const theirs = callers.challenge();
    meet(mine);
    const as = (uid: number, ...command: readonly string[]) =>
      spawnSync(command[0]!, command.slice(1), { uid, gid: uid }).status;
    expect(as(1234, 'ln', '-s', theirs.word, theirs.path)).toBe(0);
    // Neither removing, nor renaming, nor looking around.
    expect(as(1234, 'rm', '-f', mine.path)).not.toBe(0);
    expect(as(1234, 'mv', mine.path, `${mine.path}x`)).not.toBe(0);
    expect(as(1234, 'ls', directory)).not.toBe(0);
    expect(callers.uidOf(theirs)).toBe(1234);
    expect(callers.uidOf(mine)).toBe(0);
  });
});
