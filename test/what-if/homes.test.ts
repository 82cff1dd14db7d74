/** Local users under another configuration: whose mail it would be, and whether anybody would be at home. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { homesOf } from '../../src/cli/local-homes.ts';
import { readConfig } from '../../src/control/config.ts';
import { route } from '../../src/queue/routing.ts';
import type { Difference } from '../../src/what-if/differences.ts';
import { toRuleSet } from '../../src/what-if/rule-set.ts';
import { whatIf } from '../../src/what-if/what-if.ts';
import { formatDifference } from '../../src/what-if/words.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';
import { birth } from '../support/queue-mail.ts';
import { recorded } from '../trace/recorded.ts';
import { digestOf, historyOf, whole } from './two-offices.ts';

let dir: TempDir;
beforeEach(() => {
  dir = tempDir();
});
afterEach(() => dir.remove());

const files = { locals: 'here.test\n' };

function write(path: string, text: string): void {
  mkdirSync(dirname(dir.file(path)), { recursive: true });
  writeFileSync(dir.file(path), text);
}

const homesIn = (name: string) =>
  homesOf(readConfig({ dir: dir.file(name), env: {}, data: dir.path }));

/** One letter that came in at a door, to these users of here.test. */
async function differences(...users: readonly string[]): Promise<readonly Difference[]> {
  const recipients = users.map((user) => `${user}@here.test`);
  const { routing } = toRuleSet(whole(files), { digest: '' });
  const routes = recipients.map((to) => route(to, routing));
  const data = {
    envelope: { returnPath: '', recipients },
    body: { id: 'b', bytes: 9, sha256: '' },
    arrival: { protocol: 'ESMTP', peer: '192.0.2.1:1', size: 7 },
  };
  const stream = 'message-one';
  const events = recorded(
    { stream, event: { type: 'MessageAccepted', v: 1, at: birth, data } },
    {
      stream,
      event: {
        type: 'MessageQueued',
        v: 1,
        at: birth,
        data: { routes, controls: digestOf(files) },
      },
    },
  );
  const walk = whatIf({
    log: { readAll: async ({ after = 0 }) => events.slice(after), head: async () => 2 },
    history: historyOf(files, digestOf(files)),
    rules: toRuleSet(whole(files), { digest: digestOf(files) }),
    homes: { was: homesIn('before'), wouldBe: homesIn('after') },
  });
  const found: Difference[] = [];
  for await (const difference of walk) found.push(difference);
  return found;
}

describe('another users/assign', () => {
  it('gives mail to another user, and names both lines', async () => {
    write('before/users/assign', '+joe-:joe:1:1:/joe:-::\n=ann:ann:1:1:/ann:::\n.\n');
    write('after/users/assign', '=ann:ann:1:1:/ann:::\n=joe-x:lists:2:2:/lists:::\n.\n');
    const found = await differences('joe-x', 'ann');
    expect(found).toMatchObject([
      {
        ...{ kind: 'owner', recipient: 0, address: 'joe-x@here.test' },
        was: { lines: [{ file: 'users/assign', line: 1, text: '+joe-' }] },
        wouldBe: { what: 'user lists in /lists', lines: [{ line: 2, text: '=joe-x' }] },
      },
    ]);
  });

  it('leaves somebody without a mailbox, so that the door would refuse', async () => {
    write('before/users/assign', '=ann:ann:1:1:/ann:::\n.\n');
    write('after/users/assign', '.\n');
    write('after/alias/.qmail-postmaster', './box\n');
    expect(await differences('ann')).toMatchObject([
      { kind: 'door', was: { what: 'accepted' }, wouldBe: { what: 'refused: nobody-home' } },
    ]);
  });
});

describe('other files of the user alias', () => {
  it('are told by their text', async () => {
    for (const side of ['before', 'after']) {
      write(`${side}/users/assign`, '.\n');
      write(`${side}/alias/.qmail-info`, `&${side}@far.test\n`);
      write(`${side}/alias/.qmail-same`, '&a@far.test\n');
    }
    const found = await differences('info', 'same');
    expect(found).toMatchObject([{ kind: 'owner', recipient: 0 }]);
    expect(formatDifference(found[0]!).join('\n')).toContain('alias/.qmail-info: &after@far.test');
  });

  it('differ in nothing where nothing differs', async () => {
    for (const side of ['before', 'after']) write(`${side}/users/assign`, '.\n');
    expect(await differences('nobody', 'postmaster')).toEqual([]);
  });
});
