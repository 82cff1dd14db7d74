/** `waybill retry|hold|release|cancel|redirect`: an operator's hand, recorded with who and why. */
import { unsendable } from '../mail/address.ts';
import type { MessageId, RecipientNo } from '../mail/envelope.ts';
import { isTrouble, Trouble } from '../mail/trouble.ts';
import type { OperatorRequest } from '../queue/operator.ts';
import { findRecipients } from '../trace/find-recipients.ts';
import { toAsciiJson } from '../trace/json.ts';
import { AmbiguousName, splitName } from '../trace/letter-name.ts';
import { readLetter } from '../trace/read-letter.ts';
import { foldLetter, type LetterState } from '../trace/reason.ts';
import { safe } from '../trace/words.ts';
import { tellAmbiguity } from './ambiguous.ts';
import { callersName } from './callers-name.ts';
import { exitNever } from './exit-codes.ts';
import { sayDone } from '../trace/hand-words.ts';
import { withLog, type OpenedLog } from './open-log.ts';
import { takeHand, type OperatorHand } from './operator-hand.ts';
import { openWords, type Output } from './output.ts';
import type { Places } from './places.ts';

export type HandOptions = {
  readonly act: OperatorRequest['act'];
  readonly ids: readonly string[];
  readonly to?: string;
  readonly all?: boolean;
  readonly why: string;
  readonly by?: string;
  readonly json?: boolean;
};

/** Every id is tried; one that does not exist makes the exit code 100. */
export async function byHand(places: Places, asked: HandOptions): Promise<void> {
  refuseNonsense(asked);
  const options = { ...asked, by: asked.by ?? callersName() };
  const output = openWords(asked.json);
  await withLog(places, async (opened) => {
    const hand = await takeHand(opened);
    try {
      if (options.all === true) await retryAll(hand, options, output);
      for (const name of options.ids) await actOn(name, options, { opened, hand, output });
    } finally {
      await hand.close();
    }
  });
  await output.drained();
}

type Ready = HandOptions & { readonly by: string };

function refuseNonsense({ act, ids, all, to }: HandOptions): void {
  const refuse = (detail: string) =>
    new Trouble('refused', { tryAgain: false, peer: 'refused', detail });
  if (ids.length === 0 && all !== true) throw refuse(`${act}: name a letter, or --all`);
  if (ids.length > 0 && all === true) throw refuse(`${act}: either letters or --all`);
  if (to === undefined) return;
  if (to === '' || to.length > 900 || unsendable(to) || !/.@./s.test(to)) {
    throw refuse(`${safe(to, 80)} is no address to send to`);
  }
}

async function retryAll(
  hand: OperatorHand,
  { by, why, json }: Ready,
  output: Output,
): Promise<void> {
  await hand.retryAll(by, why);
  output.line(
    json === true
      ? toAsciiJson({ act: 'retry', all: true, by, why })
      : 'Everything that waits is due now.',
  );
}

type Tools = { readonly opened: OpenedLog; readonly hand: OperatorHand; readonly output: Output };

async function actOn(name: string, options: Ready, { opened, hand, output }: Tools): Promise<void> {
  const { act, to, by, why, json = false } = options;
  try {
    const { id, rcpt } = splitName(name);
    const message = await opened.letter(id);
    const before = foldLetter((await readLetter(opened.log, message)).events);
    const rcpts = chooseRecipients(options, rcpt, before);
    const events = await hand.act({
      ...{ act, message, by, why },
      ...(rcpts === undefined ? {} : { rcpts }),
      ...(to === undefined ? {} : { to }),
    });
    const said = sayDone({ act, message, events, rcpts, to }, before.state);
    output.line(json ? toAsciiJson(result(options, message, rcpts, events, said)) : said);
  } catch (cause) {
    if (!isTrouble(cause) || cause.tryAgain) throw cause;
    if (cause instanceof AmbiguousName) {
      return await tellAmbiguity(cause, opened, output, json, { act, id: name });
    }
    process.exitCode = exitNever;
    if (json) output.line(toAsciiJson({ act, id: name, error: cause.message }));
    else console.error(`waybill: ${cause.message}`);
  }
}

function result(
  { act, by, why, to }: Ready,
  message: MessageId,
  recipients: readonly RecipientNo[] | undefined,
  events: number,
  said: string,
): object {
  const more = { ...(recipients && { recipients }), ...(to === undefined ? {} : { to }) };
  return { act, message, ...more, by, why, events, said };
}

/** `undefined`: all of them. */
function chooseRecipients(
  { act }: Ready,
  asked: string | undefined,
  { state, envelope }: LetterState,
): readonly RecipientNo[] | undefined {
  const refuse = (detail: string) =>
    new Trouble('refused', { tryAgain: false, peer: 'refused', detail });
  const { length } = state.recipients;
  const found = asked === undefined ? undefined : findRecipients(asked, state, envelope);
  if (act === 'redirect') {
    const one = found ?? [...state.recipients.keys()];
    if (one.length === 1) return one;
    throw refuse(
      `redirect: name one of the ${length} recipients by its number, ID/0 to ID/${length - 1}`,
    );
  }
  if ((act === 'hold' || act === 'release') && found !== undefined) {
    if (found.length === length) return undefined;
    throw refuse(`${act}: a letter is held as a whole; leave out /${safe(asked!, 80)}`);
  }
  return found;
}
