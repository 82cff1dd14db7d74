/** Answers on stdout: for a person, or as JSON. */
import type { Asking } from '../ask/asking.ts';
import type { Answer } from '../ask/ports.ts';
import { harmless, toLines, toValues } from '../ask/words.ts';
import { toAsciiJson } from '../trace/json.ts';
import { formatInstant } from '../trace/words.ts';
import type { Output } from './output.ts';

export type Printer = {
  /** What events had to say, of a question that goes line by line. */
  said(lines: readonly string[]): void;
  answer(answer: Answer): void;
  /** One of several answers, true at an instant. */
  nextAnswer(answer: Answer, now: number): void;
};

export function openPrinter(asking: Asking, output: Output, json: boolean): Printer {
  const { name, question } = asking.named;
  const text = (answer: Answer): string[] => [
    ...[question.title, question.about, ''].map(harmless),
    ...toLines(answer),
  ];
  return {
    said(lines) {
      for (const line of lines) output.line(json ? toAsciiJson({ line }) : harmless(line));
    },
    answer(answer) {
      const lines = json ? toValues(answer).map((value) => toAsciiJson(value)) : text(answer);
      for (const line of lines) output.line(line);
    },
    nextAnswer(answer, now) {
      const at = formatInstant(now, 'ms');
      if (json) {
        const rows = toValues(answer);
        output.line(toAsciiJson({ question: name, position: asking.position, at, rows }));
        return;
      }
      // A terminal shows one answer, and nothing above it.
      if (process.stdout.isTTY) output.line('\x1b[H\x1b[2J\x1b[3J');
      for (const line of text(answer)) output.line(line);
      output.line(`-- ${at}, after event ${asking.position}`);
    },
  };
}
