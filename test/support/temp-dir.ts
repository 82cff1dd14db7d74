/** A directory that is there for one test, or for one file's tests, and gone afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type TempDir = { readonly path: string; file(name: string): string; remove(): void };

export function tempDir(): TempDir {
  const path = mkdtempSync(join(tmpdir(), 'waybill-test-'));
  return {
    path,
    file: (name) => join(path, name),
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 20 }),
  };
}
