import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controlsIn } from '../../src/control/in-force.ts';
import { ControlMistake } from '../../src/mail/trouble.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'waybill-in-force-'));
  write('me', 'here.test\n');
});
afterEach(() => rmSync(directory, { recursive: true }));

const write = (name: string, text: string) => writeFileSync(join(directory, name), text);

describe('the controls in force', () => {
  it('are those read last, and change by reloading only', () => {
    const controls = controlsIn(directory);
    const { digest } = controls.current;
    write('locals', 'other.test\n');
    expect(controls.current.digest).toBe(digest);
    const reloaded = controls.reload();
    expect(controls.current).toBe(reloaded);
    expect([...reloaded.controls.locals]).toEqual(['other.test']);
    expect(reloaded.digest).not.toBe(digest);
  });

  it('stay as they are when the new ones have a mistake', () => {
    const controls = controlsIn(directory);
    const before = controls.current;
    rmSync(join(directory, 'me'));
    mkdirSync(join(directory, 'me'));
    expect(() => controls.reload()).toThrow(ControlMistake);
    expect(controls.current).toBe(before);
    rmSync(join(directory, 'me'), { recursive: true });
    write('me', 'there.test\n');
    expect(controls.reload().controls.me).toBe('there.test');
  });

  it('are none where there is no directory', () => {
    expect(() => controlsIn(join(directory, 'nowhere'))).toThrow(ControlMistake);
  });
});
