/** What an operator should know of a database beside the text it is made from: `morercpthosts.cdb`, `users/cdb`. */
import { existsSync, statSync } from 'node:fs';
import { errnoOf, errorWords } from '../platform/errno.ts';
import { inspectCdbFile } from '../platform/cdb-file.ts';

export type Compiled = {
  readonly database: string;
  readonly source: string;
  /** The program that makes the one from the other. */
  readonly compiler: string;
};

export type CompiledFinding = { readonly kind: 'mistake' | 'warning'; readonly message: string };

/** About the database; nothing when there is none, or nothing is amiss. It counts whatever is found here. */
export function checkCompiled({
  database,
  source,
  compiler,
}: Compiled): readonly CompiledFinding[] {
  if (!existsSync(database)) return [];
  try {
    inspectCdbFile(database);
  } catch (cause) {
    const why = errnoOf(cause) === undefined ? String((cause as Error).message) : errorWords(cause);
    return [{ kind: 'mistake', message: `cannot be used: ${why}` }];
  }
  const name = source.slice(source.lastIndexOf('/') + 1);
  if (!existsSync(source)) {
    return [
      { kind: 'warning', message: `counts, though there is no ${name} that it could be made from` },
    ];
  }
  if (statSync(database).mtimeMs >= statSync(source).mtimeMs) return [];
  return [
    {
      kind: 'warning',
      message: `is older than ${name}, and counts instead of it: run ${compiler}`,
    },
  ];
}
