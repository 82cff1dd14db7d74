/** Runs the engine until told to stop, and says to a person where everything is and what to try. */
import { relative, resolve } from 'node:path';
import { outliveChannels } from '../composition/roles/outlive-channels.ts';
import { runStart, type Started } from '../composition/roles/start-role.ts';
import { readConfig, type Config } from '../control/config.ts';
import { readControls, type LoadedControls } from '../control/disk.ts';
import { deskUrl } from '../desk/places.ts';
import { systemClock } from '../platform/clock.ts';
import { openLogger, wordsOf, type Logger } from '../platform/logger.ts';
import { nowAndThen } from '../platform/now-and-then.ts';

export async function serve(places: {
  readonly config: string;
  readonly data: string;
}): Promise<void> {
  const config = readConfig({ dir: places.config, env: process.env, data: places.data });
  const controls = readControls(config.controlDir);
  const logger = openLogger('start', process.env['WAYBILL_VERBOSITY'] ?? 'info');
  for (const { file, line, message } of controls.warnings) logger.warn({ file, line }, message);
  // Before anything runs: an ALRM that nobody obeys would end us.
  const starting = runStart(config, logger);
  outliveRoles(logger);
  obeySignals(starting, logger);
  const engine = await starting;
  if (process.stdout.isTTY || process.env['npm_lifecycle_event'] === 'start') {
    process.stdout.write(welcome(config, controls, engine));
  } else {
    const listening = engine.sockets.map(
      ({ kind, endpoint: { host, port } }) => `${kind} ${host}:${port}`,
    );
    logger.info({ listening, data: config.dataDir }, 'running');
  }
}

/** What a role that went mad says may be said without an end. */
function outliveRoles(logger: Logger): void {
  outliveChannels(
    nowAndThen(systemClock, (cause, times) =>
      logger.error({ cause: wordsOf(cause), times: times + 1 }, 'a role says what is no message'),
    ),
  );
}

function obeySignals(starting: Promise<Started>, logger: Logger): void {
  const withEngine = (
    use: (engine: Started) => Promise<unknown> | undefined,
    otherwise = 'trouble while obeying a signal',
  ): void => {
    starting.then(use).catch((cause: unknown) => {
      logger.error({ cause: wordsOf(cause) }, otherwise);
    });
  };
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) process.exit(111);
    stopping = true;
    logger.info({ signal }, 'stopping: finishing what is under way');
    starting
      .then((engine) => engine.stop(signal))
      .then(
        () => process.exit(0),
        (cause: unknown) => {
          logger.error({ cause: wordsOf(cause) }, 'trouble while stopping');
          process.exit(111);
        },
      );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGHUP', () => {
    logger.info({}, 'reloading settings');
    withEngine((engine) => engine.reload(), 'settings not reloaded: the old ones stay');
  });
  process.on('SIGALRM', () => {
    logger.info({}, 'retrying everything now');
    withEngine((engine) => engine.retryAll?.('signal', 'SIGALRM'));
  });
}

/** The first thing a newcomer sees. */
function welcome(config: Config, { controls }: LoadedControls, { sockets }: Started): string {
  const here = (path: string) => relative(process.cwd(), path) || '.';
  const places = sockets.map(({ kind, endpoint: { host, port } }) =>
    kind === 'desk'
      ? `  web page   ${deskUrl(host, port)}`
      : `  ${kind.padEnd(10)} ${host}:${port}`,
  );
  const smtp = sockets.find(({ kind }) => kind === 'smtp')?.endpoint;
  const server = smtp === undefined ? '127.0.0.1:2525' : `${smtp.host}:${smtp.port}`;
  const local = [...controls.locals][0] ?? 'demo.test';
  return `
Waybill is running as ${controls.me ?? local}.

${places.join('\n')}
  config     ${here(config.dir)}
  data       ${here(config.dataDir)}  (mailboxes in ${here(resolve(config.dataDir, 'mail'))})

Try, in another terminal:

  swaks --server ${server} --from you@example.org --to demo@${local}     deliver a letter into a Maildir
  swaks --server ${server} --from demo@${local} --to you@nowhere.test     send one that must wait
  npm run -s waybill -- queue                                             see what waits, and why

Ctrl-C stops it; every letter it said 250 to is safe.

`;
}
