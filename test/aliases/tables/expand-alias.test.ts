import { describe, expect, it } from '@jest/globals';
import { expandAlias } from '../../../src/aliases/tables/expand-alias.ts';
import { compileForwardSource } from '../../../src/aliases/tables/forward-source.ts';

type Lists = { readonly [file: string]: string };

/** `from <sender> to …`, with the programs it ran in front; lists hold one item per word. */
async function expand(source: string, target: string, sender = 's@x.org', lists: Lists = {}) {
  const records = [...compileForwardSource(source)];
  const told: string[] = [];
  const expansion = await expandAlias(target, sender, {
    get: (key) => records.find(([name]) => name === key)?.[1],
    readList(file) {
      const items = lists[file];
      if (items === undefined) throw new Error(`no ${file}`);
      return items.split(' ').map((item) => `${item}\0`).join(''); // prettier-ignore
    },
    async run({ command, bare }) {
      told.push(`${bare ? '|' : '!'}${command}`);
    },
  });
  if (expansion === undefined) return 'nobody';
  return [...told, `from <${expansion.sender}> to`, ...expansion.recipients].join(' ');
}

const yp = `
root@yp.to: ?owner@yp.to, god@heaven.af.mil, sub@yp.to, list2@yp.to, |echo\\ hi, ./a.bin;
sub@yp.to: x1@q.org, root@yp.to;
list2@yp.to: ?own2@yp.to, m@m.org;
`;
const ypLists = { './a.bin': '&joe@x.org &ann@x.org ./b.bin', './b.bin': '&z@z.org' };
/** fastforward itself adds root@yp.to here, only for that letter to die as a loop. */
const ypMembers = 'god@heaven.af.mil x1@q.org list2@yp.to joe@x.org ann@x.org z@z.org';

describe('the worked example', () => {
  it.each([
    ['ROOT@YP.TO', 's@x.org', `|echo hi from <owner@yp.to> to ${ypMembers}`],
    ['root@yp.to', '', `|echo hi from <> to ${ypMembers}`],
    ['root@yp.to', '#@[]', `|echo hi from <#@[]> to ${ypMembers}`],
    ['list2@yp.to', 's@x.org', 'from <own2@yp.to> to m@m.org'],
    ['sub@yp.to', 's@x.org', 'from <s@x.org> to x1@q.org root@yp.to'],
    ['nobody@yp.to', 's@x.org', 'nobody'],
  ])('%s from <%s>', async (target, sender, result) => {
    expect(await expand(yp, target, sender, ypLists)).toBe(result);
  });
});

describe('a target', () => {
  const table = 'u@h: exact@x; @h: host@x; u@: user@x; Plain: plain@x;';
  it.each([
    ['u@h', 'exact@x'],
    ['U@H', 'exact@x'],
    ['v@h', 'host@x'],
    ['u@other', 'user@x'],
    ['plain', 'plain@x'],
    ['u@v@h', 'host@x'],
  ])('%s is found as an address, then a host, then a user: %s', async (target, recipient) => {
    expect(await expand(table, target)).toBe(`from <s@x.org> to ${recipient}`);
  });

  it('loses to its host what stands before its user', async () => {
    expect(await expand('@h: host@x; u@: user@x;', 'u@h')).toBe('from <s@x.org> to host@x');
  });

  it.each([
    ['u@h: ?exact@o, x; @h: ?host@o;', 'exact@o'],
    ['u@h: x; @h: ?host@o; u@: ?user@o;', 'host@o'],
    ['u@h: x; u@: ?user@o;', 'user@o'],
    ['u@h: x; other@h: ?o;', 's@x.org'],
  ])('in %j has the owner %s', async (source, owner) => {
    expect(await expand(source, 'u@h')).toBe(`from <${owner}> to x`);
  });
});

describe('a recipient in a table', () => {
  it('is expanded in its place, in any case, but never as a host or a user', async () => {
    const source = 'a@x: b@x, Sub@X, c@x; sub@x: d@x, e@x; @x: wrong; c@: wrong;';
    expect(await expand(source, 'a@x')).toBe('from <s@x.org> to b@x d@x e@x c@x');
  });

  it('with an owner of his own gets the letter under his own name', async () => {
    expect(await expand('a@x: list@x, b@x; list@x: ?o@x, m@x;', 'a@x')).toBe('from <s@x.org> to list@x b@x'); // prettier-ignore
  });

  it('gets one letter though he is named twice', async () => {
    expect(await expand('a@x: b@x, ./l, b@x, B@x, ./l;', 'a@x', '', { './l': '&b@x &c@x' })).toBe(
      'from <> to B@x b@x c@x',
    );
  });

  it.each([
    ['a@x: b@x; b@x: a@x, c@x;', 'from <s@x.org> to c@x'],
    ['a@x: |once, b@x; b@x: |then, a@x, c@x;', '|once |then from <s@x.org> to c@x'],
    ['a@x: A@X;', 'from <s@x.org> to'],
    ['a@x: ?o, a@x, c@x;', 'from <o> to c@x'],
    // Alone he gets it again, so that somebody hears of the loop.
    ['a@x: ?o, a@x;', 'from <o> to a@x'],
    ['@x: a@x;', 'from <s@x.org> to a@x'],
  ])('who leads back to the target, as in %j, is not followed again', async (source, result) => {
    expect(await expand(source, 'a@x')).toBe(result);
  });

  it('of 900 bytes is none', async () => {
    const long = `&${'x'.repeat(899)}`;
    expect(await expand('a@x: ./l;', 'a@x', '', { './l': `${long} ${long.slice(1)} &b` })).toBe('from <> to b'); // prettier-ignore
  });
});

describe('a list', () => {
  it('may name other lists, and itself', async () => {
    const lists = { '/l': '&a ./m junk |prog', './m': '/l &b' };
    expect(await expand('x@y: /l;', 'x@y', '', lists)).toBe('from <> to a b');
  });

  it('that cannot be read ends it all, after the programs have run', async () => {
    await expect(expand('x@y: a, ./gone, |prog;', 'x@y')).rejects.toThrow('no ./gone');
  });
});

describe('programs', () => {
  it('run in the order of the table, with preline or bare, and may be all there is', async () => {
    expect(await expand('x@y: |one, !two, |one;', 'x@y')).toBe('|one !two |one from <s@x.org> to');
  });
});
