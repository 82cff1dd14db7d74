import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { shellWord } from '../../support/shell-word.ts';
import { bodyOf, Home, post, type Story } from './story.ts';

let home: Home;
beforeEach(() => {
  home = new Home();
});
afterEach(() => home.remove());

const said = async (script: string, story: Story = {}) =>
  (await post(home.write('.qmail', `|${script}\n`), story)).said;

describe('a program line', () => {
  it.each([
    [0, 'Kdid 0+0+1\n'],
    [99, 'Kdid 0+0+1\n'],
    ...[100, 64, 65, 70, 76, 77, 78, 112].map((code): [number, string] => [code, 'D']),
    ...[111, 1, 2, 71, 74, 75, 98, 101, 126, 127, 255].map((code): [number, string] => [code, 'Z']),
  ])('that exits %d gives %p', async (code, expected) => {
    expect(await said(`exit ${code}`)).toBe(expected);
  });

  it('reports what it wrote to stdout and stderr, in that order', async () => {
    expect(await said('echo out; echo err >&2; echo out; exit 100')).toBe('Dout\nerr\nout\n');
  });

  it('that succeeds has its output before ours', async () => {
    expect(await said('echo hi')).toBe('Khi\ndid 0+0+1\n');
  });

  it('may say too much', async () => {
    const text = await said('yes | head -c 100000; exit 100');
    expect(text).toHaveLength(1 + 2966 + 31);
    expect(text).toMatch(/\nError report too long, sorry\.\n$/);
  });

  it('that is killed has crashed', async () => {
    expect(await said('echo dying; kill -SEGV $$')).toBe('Zdying\nAack, child crashed. (#4.3.0)\n');
  });

  it('that is no program defers', async () => {
    expect(await said('/nonexistent/program 2>/dev/null')).toBe('Z');
  });

  it('runs in the home, in an environment that tells about the letter', async () => {
    expect(await said('cd -P . && pwd && echo "$HOME"')).toBe(
      `K${home.path}\n${home.path}\ndid 0+0+1\n`,
    );
    expect(await said('echo "$SENDER/$NEWSENDER/$RECIPIENT/$DEFAULT/$HOST2"')).toBe(
      'Ks@q.r/s@q.r/joe@demo.test//demo\ndid 0+0+1\n',
    );
    expect(await said('printf "%s" "$UFLINE$RPLINE$DTLINE"')).toBe(
      'KFrom s@q.r Fri Nov 20 23:49:09 2026\n' +
        'Return-Path: <s@q.r>\nDelivered-To: joe@demo.test\ndid 0+0+1\n',
    );
  });

  it('gets nothing of our environment but what is meant for it', async () => {
    const names = await said("env -0 | cut -z -d= -f1 | sort -z | tr '\\0' ' '");
    // What shells add of their own accord does not count.
    expect(names.replace(/ (OLDPWD|PWD|SHLVL|_)\b/g, '')).toBe(
      'KDTLINE EXT EXT2 EXT3 EXT4 HOME HOST HOST2 HOST3 HOST4 LOCAL NEWSENDER PATH RECIPIENT ' +
        'RPLINE SENDER UFLINE USER did 0+0+1\n',
    );
  });

  it('hears a hostile sender as plain data', async () => {
    const returnPath = '$(touch pwned);`touch pwned`@q.r';
    expect(await said('echo "$SENDER"', { returnPath })).toBe(`K${returnPath}\ndid 0+0+1\n`);
    expect(home.list('.')).toEqual(['.qmail']);
  });

  it('reads the letter with LF line ends and nothing added, and may rewind it', async () => {
    expect(await said('cat')).toBe('KSubject: hello\n\nline\ndid 0+0+1\n');
    const rewind = `const b = Buffer.alloc(9); fs.readSync(0, b); fs.readSync(0, b, 0, 9, 0); console.log(String(b))`;
    const words = [process.execPath, '-e', rewind].map(shellWord).join(' ');
    expect(await said(words)).toBe('KSubject: \ndid 0+0+1\n');
  });

  it('may leave a large letter unread', async () => {
    const body = bodyOf(`${'x'.repeat(78)}\r\n`.repeat(20_000), 65_536);
    expect(await said('exit 0', { body })).toBe('Kdid 0+0+1\n');
    expect(await said('wc -c', { body })).toBe(`K${79 * 20_000}\ndid 0+0+1\n`);
  });

  it('cannot change the letter for the next one', async () => {
    const script = '(echo forged >&0) 2>/dev/null; true\n|cat';
    expect(await said(script)).toBe('KSubject: hello\n\nline\ndid 0+0+2\n');
  });

  it('makes files that nobody else can read', async () => {
    expect(await said('umask')).toBe('K0077\ndid 0+0+1\n');
  });

  it('is ended when it runs too long, and defers', async () => {
    const text = await said('echo waiting; sleep 1000', { programTimeoutMs: 200 });
    expect(text).toBe('Zwaiting\nTimeout on program delivery. (#4.3.0)\n');
  });

  it('leaves no file of ours behind', async () => {
    await said('cat >/dev/null');
    expect(readdirSync(home.root)).toEqual(['joe']);
  });
});
