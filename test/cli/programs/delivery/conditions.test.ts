/** bouncesaying, except and condredirect: what a program's answer on a letter comes to. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bouncesaying } from '../../../../src/cli/programs/delivery/bouncesaying.ts';
import { condredirect } from '../../../../src/cli/programs/delivery/condredirect.ts';
import { except } from '../../../../src/cli/programs/delivery/except.ts';
import { letterOffice, letterText, type LetterOffice } from './letter-file.ts';

const sh = (script: string): readonly string[] => ['sh', '-c', script];

const temporary = 'fatal: temporary child error\n';
const crashed = 'fatal: child crashed\n';

let office: LetterOffice;
const open = (name: string) => () => {
  office = letterOffice(name);
};
afterEach(() => office.remove());

describe('bouncesaying', () => {
  beforeEach(open('bouncesaying'));
  const call = (...args: string[]) => office.onLetter((stdin) => bouncesaying({ stdin }), args);

  it.each<readonly [string, readonly string[], number, string]>([
    ['no program', [], 100, 'not here\n'],
    ['a program that says yes', ['true'], 100, 'not here\n'],
    ['a program that says no', ['false'], 0, ''],
    ['one that says 99', sh('exit 99'), 0, ''],
    ['one that says 100', sh('exit 100'), 0, ''],
    ['one that cannot tell now', sh('exit 111'), 111, `bouncesaying: ${temporary}`],
    ['one that is not there', ['/nonexistent/program'], 0, ''],
    ['one without a name', [''], 0, ''],
    ['one that crashes', sh('kill -KILL $$'), 111, `bouncesaying: ${crashed}`],
  ])('with %s %j exits %i', async (_what, words, exit, said) => {
    expect(await call('not here', ...words)).toEqual({ exit, said, printed: '' });
  });
  it('lets the program read the letter', async () => {
    expect((await call('no', 'grep', '-q', 'Subject: hello')).exit).toBe(100);
    expect((await call('no', 'grep', '-q', 'Subject: bye')).exit).toBe(0);
  });
  it('wants a text', async () => {
    expect(await call()).toMatchObject({
      exit: 100,
      said: 'bouncesaying: usage: bouncesaying error [ program [ arg ... ] ]\n',
    });
  });
});

describe('except', () => {
  beforeEach(open('except'));
  const call = (...args: string[]) => office.onLetter((stdin) => except({ stdin }), args);

  it.each<readonly [string, readonly string[], number]>([
    ['yes', ['true'], 100],
    ['no', ['false'], 0],
    ['100', sh('exit 100'), 0],
    ['not now', sh('exit 111'), 111],
    ['nothing, not being there', ['/nonexistent/program'], 0],
    ['nothing, crashing', sh('kill -SEGV $$'), 111],
  ])('of a program that says %s exits %j', async (_what, words, exit) => {
    expect((await call(...words)).exit).toBe(exit);
  });
  it('wants a program', async () => {
    expect(await call()).toMatchObject({
      exit: 100,
      said: 'except: usage: except program [ arg ... ]\n',
    });
  });
});

describe('condredirect', () => {
  beforeEach(open('condredirect'));
  const env = { SENDER: 's@y.z', NEWSENDER: 'list-owner@y.z', DTLINE: 'Delivered-To: joe@h\n' };
  const call = (...args: string[]) =>
    office.onLetter((stdin) => condredirect({ stdin }), args, { env });

  it('sends the letter on, from its own sender, when the program says yes; the other lines are over', async () => {
    const ran = await call('other@x.y', 'sh', '-c', 'cat >/dev/null');
    expect(ran).toEqual({ exit: 99, said: 'condredirect: qp N\n', printed: '' });
    expect(office.kept()).toEqual({
      envelope: 'Fs@y.z\0Tother@x.y\0\0',
      message: `Delivered-To: joe@h\n${letterText}`,
    });
  });
  it.each<readonly [string, readonly string[], number, string]>([
    ['no', ['false'], 0, ''],
    ['100', sh('exit 100'), 0, ''],
    ['nothing, not being there', ['/nonexistent/program'], 0, ''],
    ['not now', sh('exit 111'), 111, `condredirect: ${temporary}`],
    ['nothing, crashing', sh('kill -KILL $$'), 111, `condredirect: ${crashed}`],
  ])(
    'leaves the letter to the next line when the program says %s %j',
    async (_what, words, exit, said) => {
      expect(await call('other@x.y', ...words)).toEqual({ exit, said, printed: '' });
      expect(existsSync(join(office.root, 'envelope'))).toBe(false);
    },
  );
  it.each([
    [53, 111, 'qq write error or disk full (#4.3.0)'],
    [31, 100, 'mail server permanently rejected message (#5.3.0)'],
  ])('says what the queue has against it: %i', async (queueExit, exit, text) => {
    office.queueSays(queueExit);
    expect(await call('other@x.y', 'true')).toMatchObject({
      exit,
      said: `condredirect: fatal: ${text}\n`,
    });
  });
  it.each(['SENDER', 'DTLINE'])('wants %s', async (name) => {
    const without = { env: { ...env, [name]: undefined } };
    const ran = await office.onLetter((stdin) => condredirect({ stdin }), ['a@b', 'true'], without);
    expect(ran).toMatchObject({ exit: 100, said: `condredirect: fatal: ${name} not set\n` });
  });
  it.each([[[]], [['a@b']]])('wants an address and a program: %j', async (args) => {
    expect(await call(...args)).toMatchObject({
      exit: 100,
      said: 'condredirect: usage: condredirect newaddress program [ arg ... ]\n',
    });
  });
  it('has its program found along the PATH of the delivery', async () => {
    const path = join(office.root, 'says-yes');
    writeFileSync(path, '#!/bin/sh\nhead -1 > "$OUT"\n');
    chmodSync(path, 0o755);
    const out = join(office.root, 'head');
    const PATH = `${office.root}:${process.env['PATH']}`;
    const ran = await office.onLetter((stdin) => condredirect({ stdin }), ['a@b', 'says-yes'], {
      env: { ...env, PATH, OUT: out },
    });
    expect([ran.exit, readFileSync(out, 'utf8')]).toEqual([99, 'Subject: hello\n']);
  });
});
