/** getopt as qmail has it: letters in one word, values in the same word or the next, `--` ends. */
import { Misused } from './program.ts';

export type Option = { readonly letter: string; readonly value: string };

export type Options =
  | { readonly options: readonly Option[]; readonly rest: readonly string[] }
  /** A letter that is none of ours, or one whose value is missing. */
  | IllegalOption;

export type IllegalOption = { readonly illegal: string; readonly missing: boolean };

/** `letters` as getopt wants them: `a` is a switch, `f:` takes a value, `E*` the rest of its word, if any. */
export function parseOptions(args: readonly string[], letters: string): Options {
  const options: Option[] = [];
  let at = 0;
  for (; at < args.length; at += 1) {
    const word = args[at]!;
    if (word === '--') {
      at += 1;
      break;
    }
    if (!word.startsWith('-') || word === '-') break;
    for (let i = 1; i < word.length; i += 1) {
      const letter = word[i]!;
      const place = /[:*]/.test(letter) ? -1 : letters.indexOf(letter);
      if (place < 0) return { illegal: letter, missing: false };
      if (letters[place + 1] === '*') break;
      if (letters[place + 1] !== ':') {
        options.push({ letter, value: '' });
        continue;
      }
      let value = word.slice(i + 1);
      if (value === '') {
        at += 1;
        if (at >= args.length) return { illegal: letter, missing: true };
        value = args[at]!;
      }
      options.push({ letter, value });
      break;
    }
  }
  return { options, rest: args.slice(at) };
}

/** getopt's own words. */
export const illegalOption = ({ illegal, missing }: IllegalOption): Misused =>
  new Misused(`${missing ? 'option requires an argument' : 'illegal option'} -- ${illegal}`);

/** The same, and the usage under it, each with the program's name in front. */
export const illegalUse = (illegal: IllegalOption, name: string, usage: string): Misused =>
  new Misused(`${illegalOption(illegal).message}\n${name}: ${usage}`);
