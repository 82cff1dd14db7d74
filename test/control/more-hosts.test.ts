import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { checkCompiled } from '../../src/control/compiled.ts';
import { parseControls } from '../../src/control/controls.ts';
import { readControls } from '../../src/control/disk.ts';
import { moreHosts } from '../../src/control/more-hosts.ts';
import { acceptsRecipient } from '../../src/control/rcpthosts.ts';
import { writeCdbFile } from '../../src/platform/cdb-file.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

let dir: TempDir;
let database: string;
beforeEach(() => {
  dir = tempDir();
  database = dir.file('morercpthosts.cdb');
});
afterEach(() => dir.remove());

const compile = (...hosts: readonly string[]) =>
  writeCdbFile({
    target: database,
    temporary: `${database}.tmp`,
    records: hosts.map((host) => [Buffer.from(host), new Uint8Array(0)]),
  });

const { controls } = parseControls({
  me: 'heaven.af.mil\n',
  rcpthosts: 'heaven.af.mil\n',
  morercpthosts: 'text.test\n',
});
const rules = () => ({
  ...controls,
  morercpthosts: moreHosts(database, () => controls.morercpthosts),
});

describe('morercpthosts.cdb', () => {
  it.each([
    ['a@heaven.af.mil', 'rcpthosts: heaven.af.mil'],
    ['a@MORE.test', 'morercpthosts: more.test'],
    ['a@x.y.wild.test', 'morercpthosts: .wild.test'],
    ['a@wild.test', undefined],
    ['a@text.test', undefined],
    ['a@', undefined],
  ])('counts alone while it is there: %s %p', (address, rule) => {
    compile('more.test', '.wild.test');
    expect(acceptsRecipient(address, rules())).toBe(rule);
  });

  it('leaves it to the text when it is not there, and is heard of as soon as it is', () => {
    const asked = rules();
    expect(acceptsRecipient('a@text.test', asked)).toBe('morercpthosts: text.test');
    compile('more.test');
    expect(acceptsRecipient('a@text.test', asked)).toBeUndefined();
    expect(acceptsRecipient('a@more.test', asked)).toBe('morercpthosts: more.test');
    rmSync(database);
    expect(acceptsRecipient('a@text.test', asked)).toBe('morercpthosts: text.test');
  });

  it('that cannot be read refuses nobody for ever', () => {
    writeFileSync(database, 'no database');
    expect(() => acceptsRecipient('a@more.test', rules())).toThrow(
      expect.objectContaining({
        tryAgain: true,
        peer: 'unable to read controls (#4.3.0)',
      }),
    );
    expect(acceptsRecipient('a@heaven.af.mil', rules())).toBe('rcpthosts: heaven.af.mil');
  });
});

describe('an operator hears of a database', () => {
  const found = () =>
    checkCompiled({ database, source: dir.file('morercpthosts'), compiler: 'qmail-newmrh' });

  it('that is older than its text, that has none, and that is broken', () => {
    expect(found()).toEqual([]);
    compile('more.test');
    expect(found().map(({ message }) => message)).toEqual([
      'counts, though there is no morercpthosts that it could be made from',
    ]);
    writeFileSync(dir.file('morercpthosts'), 'more.test\n');
    const now = Date.now() / 1000;
    utimesSync(database, now, now - 60);
    expect(found()).toEqual([
      {
        kind: 'warning',
        message: 'is older than morercpthosts, and counts instead of it: run qmail-newmrh',
      },
    ]);
    utimesSync(database, now, now + 60);
    expect(found()).toEqual([]);
    writeFileSync(database, 'x');
    expect(found().map(({ kind }) => kind)).toEqual(['mistake']);
  });

  it('among the warnings about his control files', () => {
    writeFileSync(dir.file('me'), 'x.test\n');
    writeFileSync(database, 'x');
    expect(readControls(dir.path).warnings).toEqual([
      {
        file: database,
        line: undefined,
        message: 'cannot be used: not a valid cdb: the header is cut short',
      },
    ]);
  });
});
