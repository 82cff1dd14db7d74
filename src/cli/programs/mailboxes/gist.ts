/** What a letter is about, in a line: for terminals, so nothing of it is obeyed there. Pure. */

export type Gist = {
  /** From the lines that a delivery puts in front; `?` without them. */
  readonly sender: string;
  readonly recipient: string;
  /** The From field, name included; `''` without one. */
  readonly from: string;
  /** Subject, then the body. */
  readonly text: string;
};

/** No more of a letter is looked at. */
export const gistBytes = 16_384;

/** `head`: the letter's start, a character per byte. */
export function gistOf(head: string): Gist {
  const end = /^\n|\n\n/.exec(head);
  const fields = (end === null ? head : head.slice(0, end.index + 1))
    .split(/\n(?![ \t])/)
    .filter(Boolean);
  const body = end === null ? '' : head.slice(end.index + end[0].length);
  const field = (name: string): string | undefined =>
    fields.find((each) => each.toLowerCase().startsWith(`${name}:`));
  const subjects = fields
    .filter((each) => /^subject:/i.test(each))
    .map((each) => `${each.slice('subject:'.length).trimStart()}\n`);
  return {
    sender: /^Return-Path: <(.*)>$/.exec(fields[0] ?? '')?.[1] ?? '?',
    recipient: /^Delivered-To: (.*)$/.exec(fields[1] ?? '')?.[1] ?? '?',
    from: field('from') ?? '',
    text: subjects.join('') + body,
  };
}

/** At most `length` characters for a terminal: line ends as `/`, what is no printable ASCII as `_`. */
export const forTerminal = (text: string, length = Infinity): string =>
  text
    .slice(0, length)
    .replaceAll('\n', '/')
    .replace(/[^ -~]/g, '_');
