/** Everything an operator may have written wrong, all of it at once: what nothing starts with, and what only surprises. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { parseAssign } from '../aliases/assign.ts';
import { checkCompiled } from '../control/compiled.ts';
import { refuseLeftLog } from '../composition/left-log.ts';
import { readConfig, type Config, type TlsFiles } from '../control/config.ts';
import { readDeskPassword } from '../control/desk-password.ts';
import { readControls, type LoadedControls } from '../control/disk.ts';
import { checkGatewayAccess } from '../control/gateway-access.ts';
import { readOperatorsFile } from '../control/operators-file.ts';
import { parseDotQmail } from '../delivery/local/dot-qmail.ts';
import { ControlMistake } from '../mail/trouble.ts';
import { errorWords } from '../platform/errno.ts';
import { safe } from '../trace/words.ts';
import { checkUsers, type RoleAccount } from './check-users.ts';
import type { Places } from './places.ts';

export type Finding = {
  readonly file: string;
  /** From 1; absent where the whole file is meant. */
  readonly line?: number;
  readonly message: string;
};

/** `file:line: message`, of a stranger's bytes only what a terminal may see. */
export const formatFinding = ({ file, line, message }: Finding, kind = ''): string =>
  `${safe(file, 4096)}${line === undefined ? '' : `:${line}`}: ${kind}${safe(message, 500)}`;

export type ConfigCheck = {
  readonly config: Config | undefined;
  readonly controls: LoadedControls | undefined;
  /** Empty when the accounts cannot be had. */
  readonly users: readonly RoleAccount[];
  readonly mistakes: readonly Finding[];
  readonly warnings: readonly Finding[];
};

export function checkConfig(places: Places, now: number): ConfigCheck {
  const mistakes: Finding[] = [];
  const warnings: Finding[] = [];
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (cause) {
      if (!(cause instanceof ControlMistake)) throw cause;
      mistakes.push(toFinding(cause));
      return undefined;
    }
  };
  const config = attempt(() =>
    readConfig({ dir: places.config, env: process.env, data: places.data }),
  );
  // The control files lie where they lie, even when waybill.toml is wrong.
  const controls = attempt(() =>
    readControls(config?.controlDir ?? join(places.config, 'control')),
  );
  for (const { file, line, message } of controls?.warnings ?? []) {
    warnings.push({ file, message, ...(line === undefined ? {} : { line }) });
  }
  const accounts = config && attempt(() => checkUsers(config));
  if (config !== undefined) {
    warnings.push(...(accounts?.warnings ?? []));
    warnings.push(...(attempt(() => checkListeners(config)) ?? []));
    warnings.push(...(attempt(() => checkAssign(config.local.users)) ?? []));
    warnings.push(...checkAlias(config.local.alias));
    warnings.push(...(attempt(() => checkDelivery(config, controls)) ?? []));
    for (const files of [config.tls, config.gateway.tls]) {
      warnings.push(...(attempt(() => checkTls(files, now)) ?? []));
    }
    warnings.push(...checkGateway(config));
    attempt(() => checkGatewayAccess(config, readDeskPassword(config)));
    attempt(() => refuseLeftLog(config));
  }
  return { config, controls, users: accounts?.users ?? [], mistakes, warnings };
}

function toFinding({ file, line, message }: ControlMistake): Finding {
  const place = `${file}${line === undefined ? '' : `:${line}`}: `;
  const words = message.startsWith(place) ? message.slice(place.length) : message;
  return { file, message: words, ...(line === undefined ? {} : { line }) };
}

function checkListeners({ listen, proxies, tls, dir }: Config): readonly Finding[] {
  const file = join(dir, 'waybill.toml');
  const warnings: Finding[] = [];
  const seen = new Map<string, string>();
  if (listen.smtps.length > 0 && tls === undefined) {
    throw new ControlMistake(file, undefined, 'listen.smtps needs a certificate and key in [tls]');
  }
  for (const [kind, endpoints] of Object.entries(listen)) {
    for (const { host, port } of endpoints) {
      const place = `${host} ${port}`;
      const other = seen.get(place);
      if (other !== undefined && port !== 0) {
        throw new ControlMistake(
          file,
          undefined,
          `listen.${kind}: ${host} port ${port} is taken by listen.${other}`,
        );
      }
      seen.set(place, kind);
      if (port === 0 || port >= 1024 || process.getuid?.() === 0) continue;
      const message = `listen.${kind}: port ${port} takes root's rights on most systems`;
      warnings.push({ file, message });
    }
  }
  if (proxies.listeners.length > 0 && proxies.from.some(({ prefix }) => prefix === 0)) {
    const message =
      'listen.proxy_from: everybody is believed to be a load balancer, and may claim any address';
    warnings.push({ file, message });
  }
  if (seen.size === 0)
    warnings.push({ file, message: 'nothing listens: no letter can come in over the network' });
  if (listen.submission.length > 0 && tls === undefined) {
    warnings.push({
      file,
      message: 'listen.submission without [tls]: letters go over the wire in the clear',
    });
  }
  return warnings;
}

function checkAssign(file: string): readonly Finding[] {
  const database = join(dirname(file), 'cdb');
  const compiled = checkCompiled({ database, source: file, compiler: 'qmail-newu' });
  for (const { kind, message } of compiled) {
    if (kind === 'mistake') throw new ControlMistake(database, undefined, message);
  }
  const notes = compiled.map(({ message }) => ({ file: database, message }));
  const text = readText(file);
  if (text === undefined && existsSync(database)) return notes;
  if (text === undefined) {
    return [{ file, message: 'does not exist: no local part is assigned to a user' }];
  }
  const { idle } = parseAssign(text, file);
  const dead = idle.map((line) => ({
    file,
    line,
    message: 'never matches: an earlier line has its key, or its last character is in capitals',
  }));
  return [...notes, ...dead];
}

function checkAlias(directory: string): readonly Finding[] {
  if (!existsSync(directory)) {
    return [
      {
        file: directory,
        message: 'does not exist: postmaster, mailer-daemon and root have no mailbox',
      },
    ];
  }
  return ['postmaster', 'mailer-daemon']
    .filter(
      (name) =>
        !existsSync(join(directory, `.qmail-${name}`)) &&
        !existsSync(join(directory, '.qmail-default')),
    )
    .map((name) => ({
      file: join(directory, `.qmail-${name}`),
      message: `does not exist: letters to ${name} bounce, unless a user has that name`,
    }));
}

/** It would show to event store clients what such a client has brought. */
const checkGateway = ({ dir, gateway, log }: Config): readonly Finding[] =>
  gateway.listen === undefined || log.eventStore === undefined
    ? []
    : [
        {
          file: join(dir, 'waybill.toml'),
          message:
            'gateway.listen is not used with log.engine = "kurrentdb": its clients ask the event store itself',
        },
      ];

/** What holds for users without a .qmail file; a mistake there would defer all their mail. */
function checkDelivery(
  { dir, local }: Config,
  controls: LoadedControls | undefined,
): readonly Finding[] {
  const text = controls?.controls.defaultdelivery;
  const file =
    text === undefined ? join(dir, 'waybill.toml') : join(dir, 'control/defaultdelivery');
  const instructions = parseDotQmail(text ?? local.defaultDelivery);
  const last = instructions.at(-1);
  if (last?.kind === 'uh-oh')
    throw new ControlMistake(file, undefined, `default delivery: ${last.text}`);
  return instructions.length > 0
    ? []
    : [{ file, message: 'default delivery delivers nowhere: such mail is thrown away' }];
}

function checkTls(tls: TlsFiles | undefined, now: number): readonly Finding[] {
  if (tls === undefined) return [];
  const certificate = readNeeded(tls.certificate);
  const key = readNeeded(tls.key);
  const parsed = understood(
    tls.certificate,
    'is no certificate in PEM',
    () => new X509Certificate(certificate),
  );
  const secret = understood(tls.key, 'is no private key in PEM', () => createPrivateKey(key));
  if (!parsed.checkPrivateKey(secret)) {
    throw new ControlMistake(tls.key, undefined, `is not the key of ${tls.certificate}`);
  }
  understood(tls.certificate, 'cannot be used', () =>
    createSecureContext({ cert: certificate, key }),
  );
  return [...checkDates(tls.certificate, parsed, now), ...checkKeyMode(tls.key)];
}

const fortnightMs = 14 * 86_400_000;

function checkDates(
  file: string,
  { validFrom, validTo }: X509Certificate,
  now: number,
): readonly Finding[] {
  const until = Date.parse(validTo);
  if (until < now) return [{ file, message: `expired on ${validTo}` }];
  if (Date.parse(validFrom) > now) return [{ file, message: `is not valid before ${validFrom}` }];
  return until - now < fortnightMs ? [{ file, message: `expires soon, on ${validTo}` }] : [];
}

const checkKeyMode = (file: string): readonly Finding[] =>
  (statSync(file).mode & 0o004) === 0
    ? []
    : [{ file, message: 'everybody on this host can read this private key' }];

function understood<T>(file: string, otherwise: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof ControlMistake) throw cause;
    throw new ControlMistake(file, undefined, otherwise);
  }
}

const readText = (file: string): string | undefined => readOperatorsFile(file)?.toString('utf8');

function readNeeded(file: string): Buffer {
  try {
    accessSync(file, constants.R_OK);
    return readFileSync(file);
  } catch (cause) {
    throw new ControlMistake(file, undefined, `cannot be read: ${errorWords(cause)}`);
  }
}
