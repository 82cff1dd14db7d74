import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readControls } from '../../src/control/disk.ts';
import { ControlMistake } from '../../src/mail/trouble.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'waybill-control-'));
  writeFileSync(join(dir, 'me'), 'mail.demo.test\n');
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('a control directory', () => {
  it('gives values, raw texts and a digest', () => {
    writeFileSync(join(dir, 'tcp.smtp'), '127.:allow,RELAYCLIENT=""\n');
    const { controls, files, digest, tcpRules, warnings } = readControls(dir);
    expect(controls.helohost).toBe('mail.demo.test');
    expect(files).toEqual({ me: 'mail.demo.test\n', 'tcp.smtp': '127.:allow,RELAYCLIENT=""\n' });
    expect(digest).toMatch(/^[0-9a-f]{16}$/);
    expect(tcpRules.get('127.')?.env.get('RELAYCLIENT')).toBe('');
    expect(warnings).toEqual([]);
  });

  it('has the same digest while nothing changes, and another when anything does', () => {
    const digests = new Set([readControls(dir).digest]);
    digests.add(readControls(dir).digest);
    expect(digests.size).toBe(1);
    writeFileSync(join(dir, 'locals'), '');
    digests.add(readControls(dir).digest);
    writeFileSync(join(dir, 'locals'), 'a.test\n');
    digests.add(readControls(dir).digest);
    rmSync(join(dir, 'locals'));
    writeFileSync(join(dir, 'percenthack'), 'a.test\n');
    digests.add(readControls(dir).digest);
    expect(digests.size).toBe(4);
  });

  it('has another digest when text moves from one file into another', () => {
    writeFileSync(join(dir, 'me'), 'apercenthack');
    const { digest } = readControls(dir);
    writeFileSync(join(dir, 'me'), 'a');
    writeFileSync(join(dir, 'percenthack'), '');
    expect(readControls(dir).digest).not.toBe(digest);
  });

  it('tells of files that nobody reads', () => {
    writeFileSync(join(dir, 'rcpthost'), 'a.test\n');
    writeFileSync(join(dir, 'tcp.smtp.cdb'), '');
    writeFileSync(join(dir, '.hidden'), '');
    expect(readControls(dir).warnings).toEqual([
      {
        file: join(dir, 'rcpthost'),
        line: undefined,
        message: 'I have no idea what this file does',
      },
      {
        file: join(dir, 'tcp.smtp.cdb'),
        line: undefined,
        message: 'is not read: tcp.smtp itself is',
      },
    ]);
  });

  it('tells of bytes that are not UTF-8', () => {
    writeFileSync(join(dir, 'smtpgreeting'), Uint8Array.of(0x68, 0xff, 10));
    expect(readControls(dir).warnings.map(({ file }) => file)).toEqual([join(dir, 'smtpgreeting')]);
  });

  it('is a mistake when a file cannot be read', () => {
    mkdirSync(join(dir, 'locals'));
    expect(() => readControls(dir)).toThrow(ControlMistake);
    expect(() => readControls(dir)).toThrow(join(dir, 'locals'));
  });

  it('is a mistake when it is not there', () => {
    expect(() => readControls(join(dir, 'nowhere'))).toThrow(ControlMistake);
    expect(() => readControls(join(dir, 'nowhere'))).toThrow('nowhere: there is no such directory');
  });
});

describe('the sample control files', () => {
  const sample = readControls(join(import.meta.dirname, '../../config/control'));

  it('are free of warnings', () => {
    expect(sample.warnings).toEqual([]);
  });

  it('take letters for demo.test from everybody, and for everybody from this host', () => {
    expect(sample.controls.rcpthosts?.has('demo.test')).toBe(true);
    expect(sample.tcpRules.get('127.')?.env.has('RELAYCLIENT')).toBe(true);
    expect(sample.tcpRules.get('::1')?.env.has('RELAYCLIENT')).toBe(true);
    expect(sample.tcpRules.get('')?.env.size).toBe(0);
  });
});
