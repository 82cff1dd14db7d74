/** `waybill why`: the causal chain of a recipient's state, now or then; and of what a door refused. */
import { readConfig } from '../control/config.ts';
import { normalizeIp } from '../mail/ip-address.ts';
import { isTrouble, Trouble } from '../mail/trouble.ts';
import { toAsciiJson } from '../trace/json.ts';
import { splitName } from '../trace/letter-name.ts';
import { formatReason } from '../trace/reason-words.ts';
import type { Reason } from '../trace/reason.ts';
import { formatRefusal } from '../trace/refusal-words.ts';
import { findRefusals } from '../trace/refusals.ts';
import { momentOf, whyLetter } from '../trace/why.ts';
import { formatInstant, formatParty, safe } from '../trace/words.ts';
import type { Home, Homes } from '../what-if/ports.ts';
import { tellAmbiguity } from './ambiguous.ts';
import type { Place } from './arguments.ts';
import { engineRuns } from './engine-runs.ts';
import { homesOf } from './local-homes.ts';
import { withLog, type OpenedLog } from './open-log.ts';
import { openWords, type Output } from './output.ts';
import type { Places } from './places.ts';

export type WhyOptions = {
  readonly at?: Place;
  readonly limit: number;
  readonly json?: boolean;
};

export async function why(places: Places, name: string, options: WhyOptions): Promise<void> {
  const output = openWords(options.json);
  await withLog(places, async (opened) => {
    const when = await momentAsked(opened, options.at);
    if (isAboutRefusals(name)) await tellRefusals(opened, name, when, options, output);
    else {
      await tellLetter(opened, name, when, options, output, homesNow(places)).catch(
        (cause: unknown) => tellAmbiguity(cause, opened, output, options.json ?? false),
      );
    }
    await output.drained();
  });
}

/** The point of the log that is asked about. */
type Moment = { readonly now: number; readonly upTo?: number };

const momentAsked = async (opened: OpenedLog, at: Place | undefined): Promise<Moment> =>
  at === undefined ? { now: Date.now() } : momentOf(opened.log, at, opened.positionAt);

/** An address, `@domain` or an IP address names no letter; an id in front of a slash does. */
const isAboutRefusals = (name: string): boolean =>
  !/^(message-)?[0-9a-f-]+\//i.test(name) &&
  (name.includes('@') || (normalizeIp(name) !== undefined && /[.:]/.test(name)));

async function tellLetter(
  opened: OpenedLog,
  name: string,
  { now, upTo }: Moment,
  { json = false }: WhyOptions,
  output: Output,
  homes: Homes,
): Promise<void> {
  const { id, rcpt } = splitName(name);
  const message = await opened.letter(id);
  const { reasons, untold, events, odd } = await whyLetter({
    ...{ log: opened.log, message, rcpt, now },
    ...(upTo === undefined ? {} : { upTo }),
    history: await opened.nodeHistory(upTo),
    // Of a moment in the past it is a fair guess that the engine that wrote the log was there.
    engineRuns: upTo === undefined ? await engineRuns(opened.files.directory) : undefined,
  });
  if (reasons.length === 0 && !json)
    output.line(
      events === 0
        ? `${message} was not there yet ${formatInstant(now)}.`
        : `${message} is to nobody, which is legal: done at once.`,
    );
  if (odd !== undefined && !json) {
    output.line(`${message} is SET ASIDE, nothing is attempted: ${safe(odd)}`);
  }
  for (const reason of reasons) {
    const homeNow =
      upTo === undefined && isHomeless(reason) ? await homes(reason.route!.address) : undefined;
    const sentences = [...formatReason(reason, now), ...homeWords(homeNow)];
    if (json) output.line(toAsciiJson(toJson({ ...reason, setAside: odd, homeNow }, sentences)));
    else {
      const { recipient, address, status } = reason;
      output.line(`${message}/${recipient} to ${formatParty(address)}: ${status}`);
      for (const line of sentences) output.line(`  ${line}`);
    }
  }
  if (untold > 0) console.error(`waybill: ${untold} more recipients: name one, ID/RECIPIENT`);
}

async function tellRefusals(
  opened: OpenedLog,
  about: string,
  { upTo }: Moment,
  { json = false, limit }: WhyOptions,
  output: Output,
): Promise<void> {
  const history = await opened.nodeHistory(upTo);
  const found = await findRefusals(
    {
      ...{ log: opened.log, streams: await opened.streams('door'), about, limit },
      ...(upTo === undefined ? {} : { upTo }),
    },
    history,
  );
  for (const refusal of found) {
    const sentences = formatRefusal(refusal);
    if (json) output.line(toAsciiJson({ refused: true, ...withInstants(refusal), sentences }));
    else for (const line of sentences) output.line(line);
  }
  if (found.length > 0) return;
  const detail = `no refusal of ${safe(about, 80)} is on record (doors record so many a minute: [door] refusals_per_minute); letters that were accepted: waybill search --recipient ${safe(about, 80)}`;
  throw new Trouble('not-found', { tryAgain: false, peer: 'no such refusal', detail });
}

/** No delivery got as far as a .qmail file, so that none is on record. */
const isHomeless = ({ route, last, status }: Reason): boolean =>
  route?.channel === 'local' && last?.lines === undefined && status !== 'delivered';

/** The configuration of now; where it cannot be read there is nothing to say. */
function homesNow({ config: dir, data }: Places): Homes {
  try {
    return homesOf(readConfig({ dir, env: process.env, data }));
  } catch (cause) {
    if (!isTrouble(cause)) throw cause;
    return async () => undefined;
  }
}

function homeWords(home: Home | undefined): string[] {
  if (home === undefined) return [];
  const { user, by, receives } = home;
  const found = by === undefined ? '' : `, by ${safe(by, 200)}`;
  const none = receives ? '' : ', who has no .qmail file for it: nobody is at home';
  return [
    `As users/assign and .qmail files are now, it is mail of the user ${safe(user)}${found}${none}.`,
  ];
}

const toJson = (
  reason: Reason & { readonly setAside: string | undefined; readonly homeNow: Home | undefined },
  sentences: readonly string[],
): unknown => ({
  ...withInstants(reason),
  sentences,
});

/** Instants in ISO 8601: whatever is called `at`, `…At`, `birth`, `from`, `to`, `until` and is a number. */
const withInstants = (value: object): object =>
  JSON.parse(JSON.stringify(value), (key, each: unknown) =>
    typeof each === 'number' && /(At|Since)$|^(at|birth|from|to|until)$/.test(key)
      ? formatInstant(each, 'ms')
      : each,
  ) as object;
