import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cpSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { openOffice, type Office } from '../trace/office.ts';
import { jsonLines, waybill } from './run.ts';

let office: Office;
let other: string;
beforeAll(async () => {
  office = await openOffice();
  await office.accept(['bob@here.test']);
  await office.close();
  other = office.dir.file('other');
  cpSync(resolve(import.meta.dirname, '../../config'), other, { recursive: true });
  writeFileSync(`${other}/control/rcpthost\u001b[2J`, 'here.test\n');
});
afterAll(() => office.remove());

const run = (...args: readonly string[]) =>
  waybill(office.path, 'what-if', '--config', other, ...args);

describe('waybill what-if', () => {
  it('says what check says of the files that it is asked about', () => {
    const { code, stdout, stderr } = run();
    expect([code, stdout]).toEqual([0, expect.stringContaining('1 letter')]);
    expect(stderr).toContain('control/rcpthost?[2J: warning: I have no idea what this file does\n');
    const checked = jsonLines(waybill(office.path, 'check', '--config', other, '--json').stdout);
    const { warnings } = checked[0] as { warnings: { file: string; message: string }[] };
    const ofFiles = warnings.filter(({ file }) => file.startsWith(other));
    expect(ofFiles.length).toBeGreaterThan(0);
    expect(jsonLines(run('--json').stdout).at(-1)).toMatchObject({
      summary: { letters: 1 },
      warnings: expect.arrayContaining(ofFiles),
    });
  });

  it('says what nothing would start with, and judges by the control files all the same', () => {
    writeFileSync(`${other}/waybill.toml`, '[tls]\ncertificate = "none.pem"\nkey = "none.key"\n');
    const { code, stderr } = run();
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/none\.pem: warning: nothing starts with it: cannot be read/),
    ]);
  });
});
