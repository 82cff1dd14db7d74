/** What a letter is about, in a line: for terminals, so nothing of it is obeyed there. Pure. */
import { splitField } from '../../../ingress/inject/fields.ts';
import { headerReader } from '../../../ingress/inject/header-reader.ts';

export type Gist = {
  /** In its brackets. From the lines that a delivery puts in front; `?` without them. */
  readonly sender: string;
  readonly recipient: string;
  /** The From field, name included; `''` without one. */
  readonly from: string;
  /** Subject, the empty line, and the body. */
  readonly text: string;
};

/** No more of a letter is looked at. */
export const gistBytes = 16_384;

/** `head`: the letter's start, a character per byte. */
export function gistOf(head: string): Gist {
  const reader = headerReader();
  const { fields, rest } = reader.push(head) ?? reader.end();
  const named = (name: string): readonly string[] =>
    fields.filter((field) => splitField(field).spelled.toLowerCase() === name);
  const subjects = named('subject').map((field) => splitField(field).value.trimStart());
  const last = rest === '' || rest.endsWith('\n') ? '' : '\n';
  return {
    sender: /^Return-Path: (<.*>)$/m.exec(fields[0] ?? '')?.[1] ?? '?',
    recipient: /^Delivered-To: (.*)$/m.exec(fields[1] ?? '')?.[1] ?? '?',
    from: named('from').at(-1)?.slice(0, -1) ?? '',
    text: subjects.join('') + rest + last,
  };
}

/** What is no printable ASCII, line ends too, as `instead`. */
export const forTerminal = (text: string, instead: '/' | '_' | '?', length = Infinity): string =>
  text.slice(0, length).replace(/[^ -~]/g, instead);
