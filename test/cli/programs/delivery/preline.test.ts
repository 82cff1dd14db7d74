/** preline: three lines in front of a letter, and whatever its program makes of them. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { preline } from '../../../../src/cli/programs/delivery/preline.ts';
import { makeOffice, type Office } from '../call.ts';

const lines = {
  UFLINE: 'From s@y.z Fri Nov 20 23:49:09 2026\n',
  RPLINE: 'Return-Path: <s@y.z>\n',
  DTLINE: 'Delivered-To: joe@h\n',
};
const letter = 'Subject: hello\n\n\xff\0 bytes\n';
const usage = 'preline: usage: preline cmd [ arg ... ]\n';

let office: Office;
let out: string;
beforeEach(() => {
  office = makeOffice();
  out = join(office.root, 'out');
});
afterEach(() => office.remove());

const call = (args: readonly string[], input = letter, env = {}) =>
  office.call('preline', preline, args, input, { ...lines, OUT: out, ...env });
const keep = ['sh', '-c', 'cat > "$OUT"'];

describe('preline', () => {
  it.each([
    [[], ['UFLINE', 'RPLINE', 'DTLINE']],
    [['-f'], ['RPLINE', 'DTLINE']],
    [['-r'], ['UFLINE', 'DTLINE']],
    [['-d'], ['UFLINE', 'RPLINE']],
    [['-fr', '-d'], []],
    [['-fF'], ['UFLINE', 'RPLINE', 'DTLINE']],
    [
      ['-F', '-f'],
      ['RPLINE', 'DTLINE'],
    ],
    [
      ['-dDr', '--'],
      ['UFLINE', 'DTLINE'],
    ],
  ] as const)('%j puts %j in front of the letter', async (options, names) => {
    expect(await call([...options, ...keep])).toEqual({ exit: 0, said: '' });
    const head = names.map((name) => lines[name]).join('');
    expect(readFileSync(out, 'latin1')).toBe(head + letter);
  });
  it.each([0, 1, 99, 100, 111, 137, 255])('exits with its command: %i', async (exit) => {
    expect(await call(['sh', '-c', `cat >/dev/null; exit ${exit}`])).toEqual({ exit, said: '' });
  });
  it('defers for a command that crashes', async () => {
    expect(await call(['sh', '-c', 'cat >/dev/null; kill -KILL $$'])).toEqual({
      ...{ exit: 111, said: 'preline: fatal: child crashed\n' },
    });
  });
  it.each([
    [['/nonexistent/program'], 'file does not exist'],
    [[''], 'file does not exist'],
    [['/etc/passwd'], 'access denied'],
  ])('bounces for a command that cannot be run: %j', async (words, why) => {
    expect(await call(words)).toEqual({
      ...{ exit: 100, said: `preline: fatal: unable to run ${words[0]}: ${why}\n` },
    });
  });
  it('passes a large letter on, whole, through a pipe that can be opened again', async () => {
    const large = `Subject: large\n\n${'0123456789abcde\n'.repeat(60_000)}`;
    expect(await call(['sh', '-c', 'cat /dev/stdin > "$OUT"'], large)).toEqual({
      exit: 0,
      said: '',
    });
    expect(readFileSync(out, 'latin1').length).toBe(
      Object.values(lines).join('').length + large.length,
    );
  });
  it('notices that a letter was not read only when it is a large one', async () => {
    expect(await call(['true'], 'x'.repeat(7_000))).toEqual({ exit: 0, said: '' });
    expect(await call(['true'], 'x'.repeat(1_000_000))).toEqual({
      ...{ exit: 111, said: 'preline: fatal: unable to copy input: broken pipe\n' },
    });
  });
  it.each(['UFLINE', 'RPLINE', 'DTLINE'])('wants %s', async (name) => {
    expect(await call(keep, letter, { [name]: undefined })).toEqual({ exit: 100, said: usage });
  });
  it('wants a command, and knows its own letters only', async () => {
    expect(await call(['-f'])).toEqual({ exit: 100, said: usage });
    expect(await call(['-x', 'cat'])).toEqual({
      ...{ exit: 100, said: `preline: illegal option -- x\n${usage}` },
    });
  });
});
