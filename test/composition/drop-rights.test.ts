/** Each in a process of its own, since there is no way back. */
import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

const roles = join(import.meta.dirname, '../../src/composition/roles');
const asRoot = process.getuid?.() === 0 ? it : it.skip;

/** Runs a piece of program; what it prints, or its complaint. */
function run(program: string, stdio: readonly (number | 'ignore')[] = []): string {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe', ...stdio] },
  );
  return status === 0 ? stdout : stderr;
}

const drop = (who: object, then = '') => `
import { readFileSync } from 'node:fs';
import { dropRights } from ${JSON.stringify(join(roles, 'drop-rights.ts'))};
dropRights(${JSON.stringify({ name: 'who', groups: [], ...who })});
const status = readFileSync('/proc/self/status', 'utf8');
const line = (key) => status.match(new RegExp('^' + key + ':\\\\s*(.*?)\\\\s*$', 'm'))[1];
console.log(['Uid', 'Gid', 'Groups', 'CapEff', 'Umask'].map(line).join(' | '));
${then}`;

describe('a role that gives root’s rights up', () => {
  asRoot('has them no more, and cannot have them back', () => {
    const said = run(
      drop(
        { uid: 4001, gid: 4002, groups: [4003] },
        'try { process.setuid(0) } catch (e) { console.log(e.code) }',
      ),
    );
    expect(said).toBe(
      '4001\t4001\t4001\t4001 | 4002\t4002\t4002\t4002 | 4003 | 0000000000000000 | 0077\nEPERM\n',
    );
  });

  asRoot('keeps them when it is to be root, but for the umask', () => {
    expect(run(drop({ uid: 0, gid: 0 }))).toMatch(/^0\t0\t0\t0 \| 0\t0\t0\t0 \| .* \| 0077\n$/);
  });

  asRoot('does not go on when the system refuses', () => {
    // As an ordinary user nobody can become another one.
    const program = `process.setgroups([]); process.setgid(4002); process.setuid(4001);`;
    expect(
      run(drop({ uid: 4005, gid: 4006 }).replace('dropRights({', `${program} dropRights({`)),
    ).toMatch(/cannot become who \(uid 4005, gid 4006\): .*EPERM/);
  });

  asRoot('does not go on when it could come back', () => {
    // A real uid of root's, as a set-user-id program has, is a way back.
    const patched = `process.setuid = (uid) => { if (uid !== 0) process.seteuid(uid); };`;
    expect(
      run(drop({ uid: 4001, gid: 4002 }).replace('dropRights({', `${patched} dropRights({`)),
    ).toMatch(/could become root again: not going on/);
  });
});

describe('descriptors that nobody meant for a role', () => {
  it('are closed, and those meant for it are not', () => {
    const program = `
import { fstatSync, readlinkSync } from 'node:fs';
import { closeStrays } from ${JSON.stringify(join(roles, '../../platform/stray-descriptors.ts'))};
const is = (fd) => { try { fstatSync(fd); return readlinkSync('/proc/self/fd/' + fd); } catch { return 'closed'; } };
closeStrays([4]);
console.log(is(4), is(30), await (await fetch('data:,still alive')).text());`;
    const kept = openSync('/dev/null', 'r');
    const stray = openSync('/dev/zero', 'r');
    // Descriptor 30 comes after a gap, where node does not look for what it inherited.
    const shell = ['-c', `exec 4<&3 30<&3; exec "$@"`, 'sh', process.execPath];
    const said = spawnSync(
      '/bin/bash',
      [...shell, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe', kept, stray] },
    );
    closeSync(kept);
    closeSync(stray);
    expect(said.stderr).toBe('');
    expect(said.stdout).toBe('/dev/null closed still alive\n');
  });
});
