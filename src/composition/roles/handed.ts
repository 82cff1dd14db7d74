/**
 * The operator's files as `start` reads them, with its own rights, and hands them to the roles over node's
 * channel: control files and keys may be root's alone, and all roles obey the same version of them.
 */
import { join } from 'node:path';
import type { Config, TlsFiles } from '../../control/config.ts';
import type { ControlTexts } from '../../control/controls.ts';
import { readDeskPassword } from '../../control/desk-password.ts';
import { readControls } from '../../control/disk.ts';
import { checkGatewayAccess } from '../../control/gateway-access.ts';
import { readOperatorsFile } from '../../control/operators-file.ts';
import { ControlMistake } from '../../mail/trouble.ts';
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
  /** For the desk only: the line of its password, where one is set, and what the gateway shows. */
  readonly deskPassword?: string;
  readonly gatewayTls?: TlsTexts;
};

/** Reads everything, and throws `ControlMistake` before anybody has heard of a mistake in it. */
export function readHanded(config: Config): Handed {
  const { controlDir, tls, gateway } = config;
  const deskPassword = readDeskPassword(config);
  checkGatewayAccess(config, deskPassword);
  return {
    controls: readControls(controlDir).files,
    ...(tls && { tls: readTls(tls) }),
    ...(gateway.tls && { gatewayTls: readTls(gateway.tls) }),
    ...(process.geteuid?.() === 0 && {
      moreRcpthosts:
        readOperatorsFile(join(controlDir, moreRcpthostsFile))?.toString('base64') ?? null,
    }),
    ...(deskPassword !== undefined && { deskPassword }),
  };
}

/** The same with the desk's password as its file has it by now. Throws `ControlMistake` where it may not be so. */
export function withPasswordOf(config: Config, { deskPassword: _, ...handed }: Handed): Handed {
  const deskPassword = readDeskPassword(config);
  checkGatewayAccess(config, deskPassword);
  return { ...handed, ...(deskPassword !== undefined && { deskPassword }) };
}

/** What a role needs of it: a private key is nobody's but theirs who show its certificate, the password the desk's. */
export function handedTo(role: DroppingRole | 'local', handed: Handed): Handed {
  const { controls, deskPassword, gatewayTls, ...doors } = handed;
  if (role === 'door') return { controls, ...doors };
  if (role !== 'desk') return { controls };
  return {
    controls,
    ...(deskPassword !== undefined && { deskPassword }),
    ...(gatewayTls !== undefined && { gatewayTls }),
  };
}

/** The database that was handed down; `undefined`: there is none. */
export function moreRcpthostsIn({ moreRcpthosts }: Handed): Cdb | undefined {
  if (moreRcpthosts === undefined || moreRcpthosts === null) return undefined;
  const bytes = Buffer.from(moreRcpthosts, 'base64');
  return openCdb({
    size: bytes.length,
    read: (position, length) => bytes.subarray(position, position + length),
  });
}

const readTls = ({ key, certificate }: TlsFiles): TlsTexts => ({
  key: readPem(key),
  cert: readPem(certificate),
});

function readPem(file: string): string {
  const bytes = readOperatorsFile(file);
  if (bytes === undefined) throw new ControlMistake(file, undefined, 'is not there');
  return bytes.toString('latin1');
}
