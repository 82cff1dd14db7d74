/** The examples of docs/CONSUMERS.md, run as their reader would run them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { jsonLines } from '../cli/run.ts';
import { shellWord } from '../support/shell-word.ts';
import { openOffice, says, type Office } from '../trace/office.ts';

const root = resolve(import.meta.dirname, '../..');
const page = readFileSync(resolve(root, 'docs/CONSUMERS.md'), 'utf8');

let office: Office;
let waiting: string;
beforeAll(async () => {
  office = await openOffice(Date.now() - 3_600_000);
  waiting = await office.accept(['ann@b.test']);
  const failed = await office.accept(['zoe@c.test']);
  await office.attempt(failed, [0], [says('failed', 0, '550 no such user\n')]);
  const modules = office.dir.file('node_modules');
  mkdirSync(modules);
  symlinkSync(root, resolve(modules, 'waybill'));
  mkdirSync(office.dir.file('own'));
  const command = office.dir.file('own/waybill');
  const main = resolve(root, 'src/cli/main.ts');
  writeFileSync(
    command,
    `#!/bin/sh\nexec ${shellWord(process.execPath)} ${shellWord(main)} "$@"\n`,
  );
  chmodSync(command, 0o755);
});
afterAll(() => office.remove());

/** The block whose first line names it. */
function example(name: string): { readonly text: string; readonly kind: string } {
  const found = new RegExp(`\`\`\`(sh|js|ts)\\n(?:#|//) example: ${name}\\n([^]*?)\`\`\``).exec(
    page,
  );
  return { kind: found![1]!, text: found![2]! };
}

function run(name: string) {
  const { kind, text } = example(name);
  const file = office.dir.file(`${name}.${kind === 'js' ? 'mjs' : kind === 'ts' ? 'mts' : 'sh'}`);
  writeFileSync(file, text);
  const path = `${office.dir.file('own')}:${dirname(process.execPath)}:${process.env['PATH']}`;
  const ran = spawnSync(kind === 'sh' ? 'sh' : process.execPath, [file, office.path], {
    cwd: office.path,
    env: { ...process.env, PATH: path, WAYBILL_DATA: office.path },
    encoding: 'utf8',
    timeout: 100_000,
  });
  expect([ran.status, ran.stderr.replace(/^\(.*\n/gm, '')]).toEqual([0, '']);
  return ran.stdout;
}

describe('an example of the page on consumers', () => {
  it('counts events', () => {
    expect(run('counting')).toContain('MessageAccepted: 2');
  });

  it('handles each failure once', () => {
    expect(run('handling')).toMatch(/^\d+ zoe@c\.test 550 no such user\n\n$/);
    expect(run('handling')).toBe('');
  });

  it('asks for the queue and for a story', () => {
    const told = run('asking');
    expect(told).toMatch(/^1 wait now, \d wait/);
    expect(told).toContain('accepted from <joe@here.test>');
    expect(waiting).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('answers in a shell, and goes on where it was', async () => {
    run('answering');
    const archive = () =>
      jsonLines(readFileSync(office.dir.file('archive.jsonl'), 'utf8')).map(
        ({ position }) => position,
      );
    const head = await office.log.head();
    expect(archive()).toEqual(Array.from({ length: head }, (_, n) => n + 1));
    await office.accept(['new@b.test']);
    run('answering');
    expect(archive()).toEqual(Array.from({ length: head + 2 }, (_, n) => n + 1));
  });
});
