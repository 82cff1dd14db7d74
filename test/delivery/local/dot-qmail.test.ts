import { describe, expect, it } from '@jest/globals';
import { parseDotQmail, type Instruction } from '../../../src/delivery/local/dot-qmail.ts';

/** Without the numbers of the lines. */
const parse = (text: string, forwardOnly?: boolean): readonly Instruction[] =>
  parseDotQmail(text, forwardOnly).map(({ line: _, ...instruction }) => instruction);

const maildir = (name: string): Instruction => ({ kind: 'maildir', name });
const mbox = (name: string): Instruction => ({ kind: 'mbox', name });
const program = (command: string): Instruction => ({ kind: 'program', command });
const forward = (address: string): Instruction => ({ kind: 'forward', address });
const blank: Instruction = {
  kind: 'uh-oh',
  text: 'Uh-oh: first line of .qmail file is blank. (#4.2.1)',
};
const noFile: Instruction = {
  kind: 'uh-oh',
  text: 'Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)',
};
const noProgram: Instruction = {
  kind: 'uh-oh',
  text: 'Uh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)',
};

describe('a dot-qmail file', () => {
  it.each<[string, string, readonly Instruction[]]>([
    ['a mailbox', './Mailbox\n', [mbox('./Mailbox')]],
    ['a Maildir', './Maildir/\n', [maildir('./Maildir/')]],
    ['absolute names', '/var/a\n/var/b/\n', [mbox('/var/a'), maildir('/var/b/')]],
    ['no LF at the end', './nonl', [mbox('./nonl')]],
    ['a program, its leading blanks kept', '| echo hi\n', [program(' echo hi')]],
    ['only a comment', '# c\n', []],
    [
      'a comment, a blank line, and blanks at line ends',
      '# c\n\n./mb  \t\n|echo hi \n&a b \n& c@d\n',
      [mbox('./mb'), program('echo hi'), forward('a b'), forward(' c@d')],
    ],
    ['an address without &', 'joe@demo.test\n', [forward('joe@demo.test')]],
    ['an address that looks like a file', '  ./mb\n', [forward('  ./mb')]],
    ['an address that looks like nothing', '!x\n', [forward('!x')]],
    ['a lone &', '&\n', [forward('')]],
    ['angle brackets, which mean nothing', '&<a@b>\n', [forward('<a@b>')]],
    ['unknown flags', '+x\n+list2\n./mb\n', [mbox('./mb')]],
    ['a flag that is not quite +list', '+list x\n./mb\n', [mbox('./mb')]],
    ['+list before a file', '+list\n&a@b\n./mb\n&c@d\n', [forward('a@b'), noFile]],
    ['+list after a file', './mb\n+list\n|x\n', [mbox('./mb'), noProgram]],
    ['a blank first line', '\n./mb\n', [blank]],
    ['blanks only on the first line', ' \t\n./mb\n', [blank]],
    ['nothing at all', '', [blank]],
    ['a NUL, after which nothing is seen', '|echo a\0b\n', [program('echo a')]],
    ['a CR, which is part of the line', './Maildir/\r\n', [mbox('./Maildir/\r')]],
  ])('has %s', (_, text, instructions) => {
    expect(parse(text)).toEqual(instructions);
  });

  it('with the x bit only forwards', () => {
    expect(parse('&a@b\n', true)).toEqual([forward('a@b')]);
    expect(parse('&a@b\n./mb\n', true)).toEqual([forward('a@b'), noFile]);
    expect(parse('|x\n', true)).toEqual([noProgram]);
  });

  it('has lines that keep their numbers, whatever stands between them', () => {
    const numbers = (text: string) => parseDotQmail(text).map(({ line }) => line);
    expect(numbers('# c\n\n./mb\n+x\n|x\n&a@b')).toEqual([3, 5, 6]);
    expect(numbers('+list\n&a@b\n./mb\n')).toEqual([2, 3]);
  });
});
