/** Runs the engine until told to stop, and says to a person where everything is and what to try. */
import { runStart, type Started } from '../composition/roles/start-role.ts';
import { readConfig, type Config } from '../control/config.ts';
import { readControls, type LoadedControls } from '../control/disk.ts';
import { openLogger, wordsOf, type Logger } from '../platform/logger.ts';
import { welcomeWords } from './welcome.ts';

export async function serve(places: {
  readonly config: string;
  readonly data: string;
}): Promise<void> {
  const config = readConfig({ dir: places.config, env: process.env, data: places.data });
  const controls = readControls(config.controlDir);
  const logger = openLogger('start', config.stderr.level);
  for (const { file, line, message } of controls.warnings) logger.warn({ file, line }, message);
  // Before anything runs: an ALRM that nobody obeys would end us.
  const starting = runStart(config, logger);
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

function welcome(config: Config, { controls }: LoadedControls, { sockets }: Started): string {
  const local = [...controls.locals][0] ?? 'demo.test';
  return welcomeWords({
    ...{ me: controls.me ?? local, local, listening: sockets },
    ...{ config: config.dir, data: config.dataDir, byRoot: process.geteuid?.() === 0 },
  });
}
