import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { distrustOf } from '../../src/ask/rights.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

let dir: TempDir;
const me = process.getuid!();

beforeEach(() => {
  dir = tempDir();
  mkdirSync(dir.file('questions'), { mode: 0o755 });
  writeFileSync(dir.file('questions/mine.ts'), '', { mode: 0o644 });
});
afterEach(() => dir.remove());

const why = (trusted = [me]) => distrustOf(dir.file('questions/mine.ts'), trusted);

describe('a question that runs with our rights', () => {
  it('is trusted when only we could have written it, also below a folder such as /tmp', () => {
    expect(why()).toBeUndefined();
  });

  it('is not when its group or everybody could have', () => {
    chmodSync(dir.file('questions/mine.ts'), 0o664);
    expect(why()).toMatch(/mine\.ts can be written by its group$/);
    chmodSync(dir.file('questions/mine.ts'), 0o646);
    expect(why()).toMatch(/mine\.ts can be written by everybody$/);
  });

  it('is not when somebody could put another in its place', () => {
    chmodSync(dir.file('questions'), 0o1777);
    expect(why()).toMatch(/questions can be written by everybody$/);
    chmodSync(dir.file('questions'), 0o755);
    chmodSync(dir.path, 0o770);
    expect(why()).toMatch(/can be written by its group$/);
  });

  it('is judged by what a link leads to', () => {
    writeFileSync(dir.file('elsewhere.ts'), '');
    chmodSync(dir.file('elsewhere.ts'), 0o666);
    symlinkSync(dir.file('elsewhere.ts'), dir.file('questions/link.ts'));
    expect(distrustOf(dir.file('questions/link.ts'), [me])).toMatch(/elsewhere\.ts can be written/);
  });

  it('is not when it belongs to somebody else', () => {
    // Only root can give a file away; to anybody else the file is somebody's who is not trusted.
    if (me === 0) chownSync(dir.file('questions/mine.ts'), 65_534, 65_534);
    expect(why([])).toMatch(/belongs to user/);
  });
});
