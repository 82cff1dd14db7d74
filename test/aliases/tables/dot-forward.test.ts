import { describe, expect, it } from '@jest/globals';
import { readDotForward } from '../../../src/aliases/tables/dot-forward.ts';

const hosts = { defaultHost: 'x.org', defaultDomain: 'dd.org', plusDomain: 'pd.org' };
const joe = { user: 'joe', host: 'x.org' };

/** One word per step, and the mistake that ends them. */
function steps(text: string, who: { user?: string; host?: string } = joe): readonly string[] {
  const told: string[] = [];
  try {
    for (const step of readDotForward(text, { user: who.user, host: who.host }, hosts)) {
      if (step.kind === 'forward') told.push(step.address);
      else told.push(step.kind === 'program' ? `|${step.command}` : 'direct');
    }
  } catch (cause) {
    told.push(`! ${(cause as Error).message}`);
  }
  return told;
}

describe("joe's .forward", () => {
  it.each([
    ['\\joe, ann@y.org', ['ann@y.org', 'direct']],
    ['ann@y.org', ['ann@y.org']],
    ['JOE@X.ORG', ['direct']],
    ['"|/usr/bin/vacation joe", \\joe', ['direct', '|/usr/bin/vacation joe']],
    ['|vacation joe', ['direct', '|vacation']],
    ['/home/joe/mbox', ['! file delivery /home/joe/mbox not supported']],
    ['# nothing', []],
    ['ann@y.org\n"|false"', ['ann@y.org', '|false']],
    ['', []],
    ['\n , ,\n(nothing)\n<>\n', []],
    ['"|a", "|b"\nc, d\n  e', ['|b', '|a', 'd@x.org', 'c@x.org', 'e@x.org']],
    ['"|echo \\"hi\\""', ['|echo "hi"']],
    ['"|cmd \\"a b\\", arg" (with (a nested) comment)', ['|cmd "a b", arg']],
    ['Joe Doe <joe>, Ann <ann@y>', ['ann@y.dd.org', 'direct']],
    ['<@r:u@h>', ['@r:u@h.dd.org']],
    ['group: a, b;', ['b@x.org', 'a@x.org', 'group@x.org']],
    [':include:list', ['list@x.org', 'include@x.org']],
    [':include:/list', ['! file delivery /list not supported']],
    ['x@h+, y@[1.2.3.4], z+', ['z+@x.org', 'y@[1.2.3.4]', 'x@h.pd.org']],
    ['joe@x', ['joe@x.dd.org']],
    ['"/x"@y.org, "|x"@y.org', ['|x@y.org', '/x@y.org']],
    ['ann@y.org\n#bob\nbob@y.org', ['ann@y.org', 'bob@y.org']],
  ])('%j asks for %j', (text, told) => {
    expect(steps(text)).toEqual(told);
  });

  it.each([['"open'], ['(open'], ['a [open'], ['a )'], ['a, ]'], ['a\\\nb c\0']])(
    'with the line %j stops there, after what stands before it',
    (line) => {
      const [first, ...rest] = steps(`ann@y.org\n${line}\nbob@y.org`);
      expect([first, rest.at(-1)?.slice(0, 2)]).toEqual(['ann@y.org', '! ']);
    },
  );

  it('is obeyed up to a mistake in the middle of a line', () => {
    expect(steps('a> b')).toEqual(['b@x.org', 'a@x.org', '! unable to parse this line: a> b']);
  });

  it('means nobody himself when it is not known whose it is', () => {
    expect(steps('joe', {})).toEqual(['joe@x.org']);
    expect(steps('joe@x.org', { user: 'joe' })).toEqual(['joe@x.org']);
  });
});
