/** An event store: the log in streams, bodies there too or in a directory that is shared. */
import { toAddress, withoutSecrets, type Address } from '../control/event-store-address.ts';
import { Connection } from '../log/kurrentdb/connection.ts';
import { KurrentLog, type KurrentLogOptions } from '../log/kurrentdb/kurrent-log.ts';
import { limitMs as limits, patienceMs as patient } from '../log/kurrentdb/patience.ts';
import type { Togetherness } from '../log/kurrentdb/together.ts';
import type { StreamName, Write } from '../log/ports.ts';
import { isTrouble, Trouble } from '../mail/trouble.ts';
import { errnoOf, errorWords } from '../platform/errno.ts';
import { refuseOddId } from '../spool/checks.ts';
import { sharedSpool } from '../spool/disk/shared-spool.ts';
import { kurrentSpool } from '../spool/kurrentdb/kurrent-spool.ts';
import type { Spool } from '../spool/ports.ts';
import { piecesOf, putDown } from './pieces.ts';
import type { Run, Side, Source, Target } from './ports.ts';
import { awaitSilence } from './silence.ts';

export type EventStorePlace = {
  readonly url: string;
  readonly credentialsFile?: string | undefined;
  readonly bodyDirectory?: string | undefined;
  /** Relative files of the address start here. */
  readonly directory: string;
  /** How long trouble may last; default: a minute. */
  readonly patienceMs?: number;
  /** No answer for so long: asked again; default 10,000. */
  readonly limitMs?: number;
  /** What is passed over as damage; absent: nothing that is written as ours are. */
  readonly oddity?: KurrentLogOptions['oddity'];
};

type Opened = {
  readonly side: Side;
  readonly log: KurrentLog;
  readonly spool: Spool;
};

export async function kurrentSource(place: EventStorePlace): Promise<Source> {
  const { side, log } = await open(place);
  return { ...side, writer: (leases) => awaitSilence(log, leases) };
}

export async function kurrentTarget(place: EventStorePlace): Promise<Target> {
  const { side, log, spool } = await open(place);
  let togetherness: Togetherness | undefined;
  let hasWorked = false;
  return {
    ...side,
    async place(ref, pieces) {
      await putDown(spool, ref.id, pieces);
      return undefined;
    },
    // One after the other: whoever has two under way may find them in the other order.
    async append(runs) {
      togetherness ??= await log.togetherness();
      try {
        if (togetherness !== 'none') {
          for (const some of inParts(runs, togetherness)) await log.appendTogether(some);
          hasWorked = true;
          return;
        }
      } catch (cause) {
        // A follower that is the only one we know takes no such appends, and passes on the others.
        if (hasWorked || !isTrouble(cause, 'log-unavailable')) throw cause;
        togetherness = 'none';
      }
      for (const { stream, expected, events } of runs) await log.append(stream, expected, events);
    },
    remove: (ids) => spool.remove(ids),
  };
}

/** Appends to so many streams in one, which the server checks one by one. */
const mostTogether = 250;

/** Where each stream may be written once, an append ends before the first that comes back. */
function* inParts(runs: readonly Run[], togetherness: Togetherness): Generator<readonly Write[]> {
  let part: Run[] = [];
  const streams = new Set<StreamName>();
  for (const run of runs) {
    const comesBack = togetherness === 'streams-once' && streams.has(run.stream);
    if (comesBack || part.length === mostTogether) {
      yield part;
      part = [];
      streams.clear();
    }
    part.push(run);
    streams.add(run.stream);
  }
  if (part.length > 0) yield part;
}

async function open(place: EventStorePlace): Promise<Opened> {
  const { url, credentialsFile, bodyDirectory, directory } = place;
  // A leader is elected meanwhile; nobody who moves house minds a minute.
  const { patienceMs = patient.move, limitMs = limits.read } = place;
  const address = addressOf(url, credentialsFile, directory);
  const [main, bodies] = [new Connection({ address }), new Connection({ address })];
  const name = withoutSecrets(url);
  await greet(main, name);
  const patience = { limitMs, patienceMs };
  const spool =
    bodyDirectory === undefined ? kurrentSpool(bodies, patience) : sharedSpool(bodyDirectory);
  const log = new KurrentLog({
    ...{ connection: main, besides: [bodies], patienceMs, appendLimitMs: limitMs },
    oddity: place.oddity,
  });
  const side: Side = {
    name,
    log: {
      readStream: (stream, wanted) => log.readStream(stream, wanted),
      head: () => log.head(),
      damages: () => log.damages(),
      async readTexts(wanted) {
        const page = await log.readAll(wanted);
        return page.map(({ data, ...event }) => ({ ...event, json: JSON.stringify(data) }));
      },
    },
    body(ref) {
      refuseOddId(ref.id);
      return piecesOf(ref, (offset, length) => spool.read(ref, offset, length));
    },
    close: () => log.close(),
  };
  return { side, log, spool };
}

function addressOf(url: string, credentialsFile: string | undefined, directory: string): Address {
  try {
    return toAddress({ url, credentialsFile, directory });
  } catch (cause) {
    const isFile = errnoOf(cause) !== undefined;
    const what = isFile ? `${credentialsFile}: ${errorWords(cause)}` : (cause as Error).message;
    const detail = `${withoutSecrets(url)}: ${what}`;
    throw new Trouble('refused', { tryAgain: false, peer: 'refused', detail, cause });
  }
}

/** A person who mistyped an address does not wait as long as one whose event store has a bad minute. */
async function greet(connection: Connection, name: string): Promise<void> {
  await connection.load();
  try {
    // Not closed: the connection is not its own.
    await new KurrentLog({ connection, patienceMs: patient.command }).head();
  } catch (cause) {
    await connection.close();
    if (!isTrouble(cause)) throw cause;
    const { code, tryAgain, peer, message } = cause;
    throw new Trouble(code, { tryAgain, peer, cause, detail: `${name}: ${message}` });
  }
}
