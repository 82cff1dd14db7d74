/**
 * A letter completed (qmail-inject): addresses rewritten, the fields that are missing added, envelope
 * found. Pure: time, process and settings come in. Texts are byte strings.
 */
import { quoteAddress, quoteLocal } from '../../mail/address.ts';
import { parseAddressList, type AddressList, type AddressTokens } from './address-list.ts';
import { knownName, splitField, treatments, type FieldName } from './fields.ts';
import { addedFields, defaultSender, isResent, verpSuffix, type Maker } from './generated.ts';
import { printField, toBare } from './print-tokens.ts';
import { rewriterFor, type Rewrite } from './rewrite.ts';
import { tokenize } from '../../mail/address-tokens.ts';

export type InjectRequest = Omit<Maker, 'rewrite'> & {
  /** Where recipients come from. */
  readonly from: 'arguments' | 'header' | 'both';
  readonly args: readonly string[];
  /** `-f`; may be empty. */
  readonly sender: string | undefined;
};

export type Composed = {
  readonly sender: string;
  readonly recipients: readonly string[];
  /** The whole header, each line with its LF. */
  readonly header: string;
  /** Recipient fields that are no list of addresses: kept as they are, and used as far as they could be read. */
  readonly doubtful: readonly string[];
};

/** Words for the caller: the letter is not taken. */
export type Refusal = { readonly refusal: string };

export const isRefusal = (outcome: Composed | Refusal): outcome is Refusal => 'refusal' in outcome;

/** The arguments are looked at before the letter is read; so is `-f`. */
export function composer(
  request: InjectRequest,
): { compose(fields: readonly string[]): Composed | Refusal } | Refusal {
  const { settings, args, from } = request;
  const rewrite = rewriterFor(settings.hosts);
  if (rewrite === undefined) return unparsable(Object.values(settings.hosts).join(' '));
  const recipients: string[] = [];
  for (const arg of from === 'header' ? [] : args) {
    const address = wholeAddress(arg, rewrite);
    if (address === undefined) return unparsable(arg);
    recipients.push(address);
  }
  const given = request.sender === undefined ? undefined : wholeAddress(request.sender, rewrite);
  if (request.sender !== undefined && given === undefined) return unparsable(request.sender);
  return { compose: (fields) => compose(fields, { ...request, rewrite, recipients, given }) };
}

const unparsable = (text: string): Refusal => ({ refusal: `unable to parse address: ${text}` });

/** An argument is one address, not a list: all before its last `@` is the local part, unquoted. */
function wholeAddress(text: string, rewrite: Rewrite): string | undefined {
  const tokens = text === '' ? [] : tokenize(quoteAddress2(text));
  return tokens === undefined ? undefined : toBare(rewrite(tokens));
}

/** `mail/address.ts` leaves an address without `@` as it is; here it is a local part, too. */
const quoteAddress2 = (text: string): string =>
  text.includes('@') ? quoteAddress(text) : quoteLocal(text);

type Work = InjectRequest & {
  readonly rewrite: Rewrite;
  readonly recipients: readonly string[];
  readonly given: string | undefined;
};

function compose(fields: readonly string[], work: Work): Composed | Refusal {
  const gathered = new Gathered(work);
  for (const field of fields) {
    if (!gathered.take(field)) return { refusal: `unable to parse this line:\n${field}` };
  }
  const { seen, kept, doubtful, answerTo, returnPath } = gathered;
  const fromHeader = work.from === 'arguments' ? [] : gathered.recipients;
  const recipients = [...work.recipients, ...fromHeader];
  if (recipients.length === 0 && work.from !== 'arguments' && doubtful.length > 0) {
    // qmail 1.09 would take the letter, for nobody: it would be gone without a word.
    return { refusal: `unable to parse this line:\n${doubtful[0]}` };
  }
  return {
    sender: senderOf(work, returnPath),
    recipients,
    header: [...addedFields(seen, work, answerTo), ...kept].join(''),
    doubtful,
  };
}

/** What the header says and becomes, field by field. */
class Gathered {
  readonly seen = new Set<FieldName>();
  readonly kept: string[] = [];
  readonly doubtful: string[] = [];
  /** Of To and Cc, in the order they were met. */
  readonly answerTo: AddressTokens[] = [];
  returnPath: string | undefined;
  readonly #work: Work;
  readonly #found = { plain: [] as string[], resent: [] as string[] };

  constructor(work: Work) {
    this.#work = work;
  }

  /** A letter that was sent on goes where the `Resent-` fields say, and only there. */
  get recipients(): readonly string[] {
    return isResent(this.seen) ? this.#found.resent : this.#found.plain;
  }

  /** False when the field names people and cannot be read. */
  take(field: string): boolean {
    const { spelled, value } = splitField(field);
    const name = knownName(spelled);
    if (name === undefined) {
      this.kept.push(field);
      return true;
    }
    if (this.#isDropped(name)) return true;
    this.seen.add(name);
    const { addresses: kind, deleted } = treatments[name];
    const list = kind === undefined ? undefined : readList(value, this.#work.rewrite);
    if (list !== undefined) {
      if (list.tokens === undefined && kind !== 'recipients') return false;
      if (list.tokens === undefined) this.doubtful.push(field);
      this.#collect(name, list);
    }
    if (deleted !== true) this.kept.push(list?.tokens ? printField(spelled, list.tokens) : field);
    return true;
  }

  #isDropped(name: FieldName): boolean {
    const { dropFrom, dropMessageId, dropReturnPath } = this.#work.settings.letters;
    if (name === 'from') return dropFrom;
    return name === 'message-id' ? dropMessageId : name === 'return-path' && dropReturnPath;
  }

  #collect(name: FieldName, { addresses }: AddressList): void {
    const [rightmost] = addresses;
    if (name === 'return-path' && rightmost !== undefined) this.returnPath ??= toBare(rightmost);
    if (name === 'to' || name === 'cc') this.answerTo.push(...addresses);
    if (treatments[name].addresses !== 'recipients') return;
    const into = name.startsWith('resent-') ? this.#found.resent : this.#found.plain;
    into.push(...addresses.map(toBare));
  }
}

function readList(value: string, rewrite: Rewrite): AddressList {
  const tokens = tokenize(value);
  if (tokens === undefined) return { tokens: undefined, addresses: [] };
  return parseAddressList(tokens, rewrite);
}

/** `-f`, else the first Return-Path, else the caller. */
function senderOf(work: Work, returnPath: string | undefined): string {
  if (work.given !== undefined) return work.given;
  return returnPath === undefined ? defaultSender(work) : returnPath + verpSuffix(work.settings);
}
