/** `waybill check`: all mistakes at once with file and line, then what would listen where, and on what ground. */
import type { EventStore } from '../control/config.ts';
import { withoutSecrets } from '../control/event-store-address.ts';
import { toAsciiJson } from '../trace/json.ts';
import { count, safe } from '../trace/words.ts';
import { checkConfig, formatFinding, type ConfigCheck } from './check-config.ts';
import { checkDisk, groundWords, type DiskCheck } from './check-disk.ts';
import { checkEventStore } from './check-event-store.ts';
import { checkFences } from './check-fences.ts';
import { checkReach, describeUsers } from './check-users.ts';
import { exitNever } from './exit-codes.ts';
import { suspicionWords } from './log-trouble.ts';
import { openWords } from './output.ts';
import { dataFiles, type Places } from './places.ts';
import { checkQuestions } from './question-folders.ts';

export async function check(
  places: Places,
  { json = false }: { readonly json?: boolean },
): Promise<void> {
  const output = openWords(json);
  const checked = checkConfig(places, Date.now());
  const files = dataFiles(places.data);
  const { directory } = files;
  const disk = checkDisk(directory);
  const suspicion = suspicionWords(files);
  const warnings = [
    ...checked.warnings,
    ...disk.warnings.map((message) => ({ file: directory, message })),
    ...checkReach(checked.users, directory),
    ...(suspicion === undefined ? [] : [{ file: files.log, message: suspicion }]),
    ...(await checkQuestions(checked.config)),
    ...(await eventStoreFindings(checked)),
    ...(await checkFences(checked.config)),
  ];
  if (json) output.line(toAsciiJson(toJson({ ...checked, warnings }, disk)));
  else for (const line of toLines({ ...checked, warnings }, disk)) output.line(line);
  await output.drained();
  if (checked.mistakes.length > 0) process.exitCode = exitNever;
}

async function eventStoreFindings({ config }: ConfigCheck) {
  const store = config?.log.eventStore;
  if (config === undefined || store === undefined) return [];
  const { desk, dir } = config;
  const found = await checkEventStore(store, dir);
  const { credentialsFile } = desk;
  if (!desk.enabled || credentialsFile === undefined || found.length > 0) return found;
  const ofDesk = await checkEventStore({ ...store, credentialsFile }, dir);
  return ofDesk.map(({ message, ...where }) => ({ ...where, message: `the desk: ${message}` }));
}

type Listener = {
  readonly kind: string;
  readonly host: string;
  readonly port: number;
  /** Behind a load balancer. */
  readonly proxied: boolean;
};

const listenersOf = ({ config }: ConfigCheck): readonly Listener[] =>
  Object.entries(config?.listen ?? {}).flatMap(([kind, endpoints]) =>
    endpoints.map(({ host, port }) => ({
      ...{ kind, host, port },
      proxied: config!.proxies.listeners.some((one) => one.host === host && one.port === port),
    })),
  );

function toJson(checked: ConfigCheck, disk: DiskCheck): unknown {
  const { mistakes, warnings, config, controls, users } = checked;
  const { warnings: _told, ...ground } = disk;
  return {
    ok: mistakes.length === 0,
    ...{ mistakes, warnings },
    listen: listenersOf(checked),
    users,
    ...(controls && { me: controls.controls.me, controls: controls.digest }),
    ...(config && { logEngine: config.log.engine, configDir: config.dir, dataDir: config.dataDir }),
    disk: ground,
  };
}

function toLines(checked: ConfigCheck, disk: DiskCheck): string[] {
  const { mistakes, warnings } = checked;
  const verdict =
    mistakes.length === 0
      ? `The configuration can be used${warnings.length === 0 ? '' : `; ${count(warnings.length, 'warning')}`}.`
      : `${count(mistakes.length, 'mistake')}: nothing starts with it.`;
  return [
    ...mistakes.map((mistake) => `${formatFinding(mistake)}`),
    ...warnings.map((warning) => `${formatFinding(warning, 'warning: ')}`),
    ...(mistakes.length === 0 ? outlook(checked, disk) : []),
    verdict,
  ];
}

function outlook(checked: ConfigCheck, disk: DiskCheck): string[] {
  const { config, controls, users } = checked;
  if (config === undefined || controls === undefined) return [];
  const { me, locals, virtualdomains } = controls.controls;
  const tls = (kind: string) =>
    config.tls === undefined ? '' : kind === 'smtps' ? ', TLS from the first byte' : ', STARTTLS';
  return [
    ...listenersOf(checked).map(
      ({ kind, host, port, proxied }) =>
        `would listen on ${host.includes(':') ? `[${host}]` : host}:${port}, ${kind}${tls(kind)}${proxied ? ', behind load balancers alone (PROXY protocol)' : ''}`,
    ),
    `is ${safe(me ?? 'without a name')}; delivers here: ${listed([...locals, ...virtualdomains.keys()])}`,
    `started by root, runs ${safe(describeUsers(users), 500)}; by anybody else, all as that user`,
    `control files ${controls.digest} in ${safe(config.controlDir, 4096)}`,
    config.log.engine === 'memory'
      ? 'keeps its log in memory: everything is gone when it stops'
      : config.log.eventStore !== undefined
        ? eventStoreWords(config.log.eventStore)
        : `keeps its log in ${safe(disk.directory, 4096)}${disk.exists ? '' : ' (made at the first start)'}: ${groundWords(disk)}`,
  ];
}

function eventStoreWords({ url, bodyDirectory }: EventStore): string {
  const bodies = bodyDirectory === undefined ? 'with the bodies' : `bodies in ${bodyDirectory}`;
  return `keeps its log in the event store ${safe(withoutSecrets(url), 500)}, ${safe(bodies, 4096)}`;
}

/** A few in full, the rest as a number. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 10).map((name) => safe(name === '' ? 'everything else' : name, 80));
  const more = names.length - shown.length;
  return `${shown.join(', ') || 'nothing'}${more > 0 ? ` and ${more} more` : ''}`;
}
