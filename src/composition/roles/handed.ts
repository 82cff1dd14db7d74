/**
 * The operator's files as `start` reads them, with its own rights, and hands them to the roles over node's
 * channel: control files and keys may be root's alone, and all roles obey the same version of them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../control/config.ts';
import type { ControlTexts } from '../../control/controls.ts';
import { readControls } from '../../control/disk.ts';
import { ControlMistake } from '../../mail/trouble.ts';
import { errnoOf } from '../../platform/errno.ts';
import { wordsOf } from '../../platform/logger.ts';
import { openCdb, type Cdb } from '../../wire/cdb/reader.ts';
import type { DroppingRole } from './role-users.ts';

export const moreRcpthostsFile = 'morercpthosts.cdb';

/** PEM texts. */
export type TlsTexts = { readonly key: string; readonly cert: string };

export type Handed = {
  readonly controls: ControlTexts;
  /** For doors only. */
  readonly tls?: TlsTexts;
  /**
   * For doors that could not look for themselves: `morercpthosts.cdb` in base64, `null` where there is
   * none. Absent when we are not root, and doors may read what we may.
   */
  readonly moreRcpthosts?: string | null;
};

/** Reads everything, and throws `ControlMistake` before anybody has heard of a mistake in it. */
export function readHanded({ controlDir, tls }: Config): Handed {
  return {
    controls: readControls(controlDir).files,
    ...(tls && { tls: { key: readPem(tls.key), cert: readPem(tls.certificate) } }),
    ...(process.geteuid?.() === 0 && {
      moreRcpthosts: readIfThere(join(controlDir, moreRcpthostsFile)),
    }),
  };
}

/** What a role needs of it: the private key is nobody's but the doors'. */
export const handedTo = (role: DroppingRole | 'local', handed: Handed): Handed =>
  role === 'door' ? handed : { controls: handed.controls };

/** The database that was handed down; `undefined`: there is none. */
export function moreRcpthostsIn({ moreRcpthosts }: Handed): Cdb | undefined {
  if (moreRcpthosts === undefined || moreRcpthosts === null) return undefined;
  const bytes = Buffer.from(moreRcpthosts, 'base64');
  return openCdb({
    size: bytes.length,
    read: (position, length) => bytes.subarray(position, position + length),
  });
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'base64');
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return null;
    throw new ControlMistake(file, undefined, `cannot be read: ${wordsOf(cause)}`);
  }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (cause) {
    throw new ControlMistake(file, undefined, `cannot be read: ${wordsOf(cause)}`);
  }
}
