import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { readConfig } from '../../src/control/config.ts';
import { readDeskPassword } from '../../src/control/desk-password.ts';
import { hashPassword } from '../../src/platform/password-hash.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

let dir: TempDir;
beforeEach(() => {
  dir = tempDir();
});
afterEach(() => dir.remove());

const read = (toml: string) => {
  writeFileSync(dir.file('waybill.toml'), toml);
  return readDeskPassword(readConfig({ dir: dir.path, env: {} }));
};

describe('a desk that can be reached from elsewhere', () => {
  it('is a mistake without a password, told with file and line', () => {
    for (const host of ['0.0.0.0', '192.0.2.1', '[::]', '']) {
      const toml = `[desk]\n# a page for all\nlisten = "${host}:8025"\n`;
      expect(() => read(toml)).toThrow(`${dir.file('waybill.toml')}:3: desk.listen`);
    }
  });

  it('is fine with one, or switched off', async () => {
    expect(read('[desk]\nenabled = false\nlisten = ":8025"\n')).toBeUndefined();
    writeFileSync(dir.file('desk.password'), `${await hashPassword('correct horse')}\n`);
    expect(read('[desk]\nlisten = ":8025"\n')).toMatch(/^scrypt /);
  });
});

describe('a desk on the loopback', () => {
  it('needs no password', () => {
    for (const host of ['127.0.0.1', '127.1.2.3', '[::1]']) {
      expect(read(`[desk]\nlisten = "${host}:8025"\n`)).toBeUndefined();
    }
  });

  it('does not start with a password file that holds no hash', () => {
    writeFileSync(dir.file('desk.password'), 'correct horse\n');
    expect(() => read('')).toThrow(/desk\.password:1: not the hash of a password/);
  });
});
