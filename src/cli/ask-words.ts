/** Questions as the command line shows them, and their own options as it reads them. */
import { parseArgs } from 'node:util';
import { OptionMistake } from '../ask/given.ts';
import type { Named, Option } from '../ask/ports.ts';
import { harmless } from '../ask/words.ts';
import { toAsciiJson } from '../trace/json.ts';

/** By name, with a sentence each. */
export function listOf(questions: readonly Named[], json: boolean): string[] {
  if (json) {
    return questions.map(({ name, question: { title, about, bounds, options = {} } }) =>
      toAsciiJson({ name, title, about, bounds, options }),
    );
  }
  const width = Math.max(...questions.map(({ name }) => name.length));
  return questions.map(({ name, question }) =>
    harmless(`${name.padEnd(width)}  ${question.title}`),
  );
}

export function helpOf({ name, question }: Named): string[] {
  const { title, about, bounds, options = {} } = question;
  const own = Object.entries(options).map(([option, each]) => helpOfOption(option, each));
  const width = Math.max(0, ...own.map(([flag]) => flag.length));
  return [
    `Usage: waybill ask ${name} [options]`,
    ...['', title, about, `Remembers: ${bounds}`],
    ...(own.length === 0 ? [] : ['', 'Options of its own:']),
    ...own.map(([flag, words]) => `  ${flag.padEnd(width)}  ${words}`),
    ...['', 'Besides: --at, --since, --follow, --urgent, --json; see waybill ask --help'],
  ].map(harmless);
}

function helpOfOption(
  name: string,
  { kind, about, default: usual, required }: Option,
): [string, string] {
  const value = typeof kind === 'string' ? kind : kind.join('|');
  const flag = kind === 'flag' ? `--${name}` : `--${name} <${value}>`;
  const more = required === true ? ' (needed)' : usual === undefined ? '' : ` (default: ${usual})`;
  return [flag, `${about}${more}`];
}

/** Texts by option. Throws `OptionMistake`. */
export function ownOptions(
  { question: { options = {} } }: Named,
  words: readonly string[],
): { readonly [name: string]: string } {
  const shape = Object.fromEntries(
    Object.entries(options).map(([name, { kind }]) => [
      name,
      { type: kind === 'flag' ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  try {
    const { values } = parseArgs({ args: [...words], options: shape, strict: true });
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
  } catch (cause) {
    // The rest of node's sentence is about positional arguments, of which there are none here.
    throw new OptionMistake((cause as Error).message.split('. ')[0]);
  }
}
