/** `qmail-local -n`: what would be done, line by line, and nothing done. No letter is read. */
import { parseDotQmail } from '../../../delivery/local/dot-qmail.ts';
import { systemFiles } from '../../../delivery/local/file-calls.ts';
import type { Halt } from '../../../delivery/local/halt.ts';
import { checkHome, stickyHome } from '../../../delivery/local/home.ts';
import { findDotQmail } from '../../../delivery/local/search.ts';
import { exitNever, exitTryLater } from '../../exit-codes.ts';
import type { Print } from '../lib/print.ts';
import type { Call } from '../lib/program.ts';
import type { Arguments } from './qmail-local.ts';

export function tryOut(
  { owner, defaultDelivery }: Pick<Arguments, 'owner' | 'defaultDelivery'>,
  print: Print,
  say: Call['say'],
): number {
  const end = ({ kind, text }: Halt): number => {
    say(`${text}\n`);
    return kind === 'failed' ? exitNever : exitTryLater;
  };
  const home = checkHome(systemFiles, owner);
  if (home === stickyHome) say('Warning: home directory is sticky.\n');
  else if (typeof home === 'object') return end(home);
  const found = findDotQmail(systemFiles, owner, defaultDelivery);
  if ('halt' in found) return end(found.halt);

  const counts = { file: 0, forward: 0, program: 0 };
  for (const instruction of parseDotQmail(found.text, found.forwardOnly)) {
    switch (instruction.kind) {
      case 'uh-oh':
        return end({ kind: 'deferred', text: instruction.text });
      case 'mbox':
      case 'maildir':
        counts.file += 1;
        print(`${instruction.kind} ${instruction.name}\n`);
        break;
      case 'program':
        counts.program += 1;
        print(`program ${instruction.command}\n`);
        break;
      case 'forward':
        counts.forward += 1;
        print(`forward ${instruction.address}\n`);
        break;
    }
  }
  print(`did ${counts.file}+${counts.forward}+${counts.program}\n`);
  return 0;
}
