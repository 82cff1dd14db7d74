import { describe, expect, it } from '@jest/globals';
import { chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownIdentity, rootIdentity, type Who } from '../../../src/delivery/local/identity.ts';

const joe: Who = { uid: 1501, gid: 1501 };
const fred: Who = { uid: 1502, gid: 1502 };

function scripted() {
  const steps: string[] = [];
  const rights = {
    become: ({ uid }: Who) => {
      steps.push(`${uid}`);
      if (uid === 666) throw new Error('no such luck');
    },
    beRoot: () => steps.push('root'),
  };
  return { identity: rootIdentity({ uid: 99, gid: 99 }, rights), steps };
}

describe('an engine that runs as an ordinary user', () => {
  it('delivers as itself, whatever users/assign says', () => {
    const identity = ownIdentity({ uid: 1000, gid: 1000 });
    expect(identity.whoFor(joe)).toEqual({ uid: 1000, gid: 1000 });
    expect(identity.as(joe, () => 7)).toBe(7);
  });
});

describe('an engine that runs as root', () => {
  it('knows whom owners without uid get', () => {
    const { identity } = scripted();
    expect(identity.whoFor({})).toEqual({ uid: 99, gid: 99 });
    expect(identity.whoFor(joe)).toEqual(joe);
  });

  it('takes the owner’s rights and gives them back, also after trouble', () => {
    const { identity, steps } = scripted();
    identity.as(joe, () => steps.push('work'));
    const trouble = () => {
      throw new Error('trouble');
    };
    expect(() => identity.as(joe, trouble)).toThrow('trouble');
    expect(steps).toEqual(['1501', 'work', 'root', '1501', 'root']);
  });

  it('does nothing when the system refuses somebody’s rights', () => {
    const { identity, steps } = scripted();
    expect(() => identity.as({ uid: 666, gid: 1 }, () => steps.push('work'))).toThrow(
      'no such luck',
    );
    expect(steps).toEqual(['666', 'root']);
  });

  const asRoot = process.getuid?.() === 0 ? it : it.skip;
  asRoot('makes files that belong to the owner, and cannot read another’s', () => {
    const directory = mkdtempSync(join(tmpdir(), 'identity-'));
    chownSync(directory, joe.uid, joe.gid);
    const identity = rootIdentity(joe);
    identity.as(joe, () => writeFileSync(join(directory, 'letter'), 'hello', { mode: 0o600 }));
    const { uid, gid } = statSync(join(directory, 'letter'));
    expect({ uid, gid }).toEqual(joe);
    const spy = () => identity.as(fred, () => readFileSync(join(directory, 'letter')));
    expect(spy).toThrow(expect.objectContaining({ code: 'EACCES' }));
    expect(process.geteuid?.()).toBe(0);
    rmSync(directory, { recursive: true });
  });
});
