/** What `npm run bench` can be told. */
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';

export type Options = {
  readonly scenarios: readonly string[];
  readonly servers: readonly string[];
  readonly rounds: number;
  /** Letters of a run; absent: as many as `seconds` take. */
  readonly letters: number | undefined;
  readonly seconds: number;
  readonly bytes: number;
  readonly sessions: number;
  /** Deferred recipients, ascending. */
  readonly backlogs: readonly number[];
  readonly recipientsPerLetter: number;
  readonly fill: 'seed' | 'smtp';
  readonly seedBytes: number;
  readonly events: number;
  readonly watchers: number;
  /** Cores that others may use while something is measured; 0: nobody looks. */
  readonly quiet: number;
  /** A run that others disturbed is made again, up to so many times in all. */
  readonly tries: number;
  /** On the disk that is measured; the bench makes a folder of its own in it. */
  readonly folder: string;
  readonly json: string | undefined;
  readonly roles: boolean;
};

export const serverNames = ['waybill', 'postfix'] as const;

const help = (scenarios: readonly string[], usual: readonly string[]) => `npm run bench -- [options]

  --scenario NAME[,NAME]  of ${scenarios.join(', ')};
                          default: ${usual.join(', ')}
  --only NAME[,NAME]      the same, and also waybill or postfix: only that server; restart has Postfix only so
  --rounds N              3; servers and queues take turns in each; replay and cold caches get a third of it
  --seconds N             2; how long a measured run lasts, about
  --letters N             or so many letters in each run, whatever it takes
  --bytes N               4096; size of a letter
  --sessions N            20; connections at a time
  --backlog N[,N]         0,20000; deferred recipients in deep and restart
  --recipients-per-letter N  1; of the backlog's letters
  --fill seed|smtp        seed; seeded letters are written straight into Waybill's log, others sent
  --seed-bytes N          1024; size of a seeded body
  --events N              1000000; length of the log in replay
  --watchers N            10; followers in watch
  --quiet CORES           0.1; what others may use before a run is called disturbed; 0: do not look
  --tries N               1; how often a disturbed run is made, at most
  --roles                 CPU, memory and bytes written by each role
  --json FILE             all figures, as they come
  --folder DIR            ${tmpdir()}; on the disk to be measured: a folder in it is made, and removed
`;

/** Throws with words for whoever typed it; prints the help and ends when asked for it. */
export function readOptions(scenarios: readonly string[], usual: readonly string[]): Options {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', multiple: true, default: [] },
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '2' },
      letters: { type: 'string' },
      bytes: { type: 'string', default: '4096' },
      sessions: { type: 'string', default: '20' },
      backlog: { type: 'string', default: '0,20000' },
      'recipients-per-letter': { type: 'string', default: '1' },
      fill: { type: 'string', default: 'seed' },
      'seed-bytes': { type: 'string', default: '1024' },
      events: { type: 'string', default: '1000000' },
      watchers: { type: 'string', default: '10' },
      quiet: { type: 'string', default: '0.1' },
      tries: { type: 'string', default: '1' },
      roles: { type: 'boolean', default: false },
      json: { type: 'string' },
      folder: { type: 'string', default: tmpdir() },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(help(scenarios, usual));
    process.exit(0);
  }
  const wanted = [...values.scenario, ...values.only].flatMap((list) => list.split(','));
  const isServer = (name: string) => (serverNames as readonly string[]).includes(name);
  const strange = wanted.find((name) => !isServer(name) && !scenarios.includes(name));
  if (strange !== undefined) throw new Error(`no scenario or server is called ${strange}`);
  if (values.fill !== 'seed' && values.fill !== 'smtp') throw new Error('--fill: seed or smtp');
  const chosen = scenarios.filter((name) => wanted.includes(name));
  const servers = serverNames.filter((name) => wanted.includes(name));
  const backlogs = values.backlog.split(',').map((text) => amount('backlog', text, 0));
  return {
    scenarios: chosen.length > 0 ? chosen : usual,
    servers: servers.length > 0 ? servers : serverNames,
    rounds: amount('rounds', values.rounds),
    letters: values.letters === undefined ? undefined : amount('letters', values.letters),
    seconds: amount('seconds', values.seconds),
    bytes: amount('bytes', values.bytes),
    sessions: amount('sessions', values.sessions),
    backlogs: [...new Set(backlogs)].sort((a, b) => a - b),
    recipientsPerLetter: amount('recipients-per-letter', values['recipients-per-letter']),
    fill: values.fill,
    seedBytes: amount('seed-bytes', values['seed-bytes']),
    events: amount('events', values.events),
    watchers: amount('watchers', values.watchers),
    quiet: fraction('quiet', values.quiet),
    tries: amount('tries', values.tries),
    ...{ folder: values.folder, json: values.json, roles: values.roles },
  };
}

function amount(name: string, text: string, least = 1): number {
  const number = Number(text.replaceAll('_', ''));
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new Error(`--${name}: a whole number from ${least} on, not ${text}`);
}

function fraction(name: string, text: string): number {
  const number = Number(text);
  if (number >= 0) return number;
  throw new Error(`--${name}: a number from 0 on, not ${text}`);
}
