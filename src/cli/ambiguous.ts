/** A part of an id that several letters have: they are listed, so that a person can choose. */
import { candidateLines, candidatesJson, candidatesOf } from '../trace/candidates.ts';
import { toAsciiJson } from '../trace/json.ts';
import { AmbiguousName } from '../trace/letter-name.ts';
import { exitNever } from './exit-codes.ts';
import type { OpenedLog } from './open-log.ts';
import type { Output } from './output.ts';

/** On stderr, or with `json` as one value on stdout with `more` in it. Throws what is no ambiguity. */
export async function tellAmbiguity(
  cause: unknown,
  { log }: Pick<OpenedLog, 'log'>,
  output: Output,
  json: boolean,
  more: object = {},
): Promise<void> {
  if (!(cause instanceof AmbiguousName)) throw cause;
  process.exitCode = exitNever;
  const candidates = await candidatesOf(cause, log);
  if (json) {
    output.line(toAsciiJson({ ...more, ...candidatesJson(candidates, cause) }));
    return;
  }
  console.error(`waybill: ${cause.message}`);
  for (const line of candidateLines(candidates, cause)) console.error(`  ${line}`);
}
