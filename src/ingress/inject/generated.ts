/** What a letter lacks, made by us: date, name, author, and the sender when nobody says another. */
import { quoteLocal } from '../../mail/address.ts';
import { formatDate } from '../../mail/date.ts';
import type { Instant } from '../../platform/clock.ts';
import type { AddressTokens } from './address-list.ts';
import type { FieldName } from './fields.ts';
import { mailFollowupTo } from './followup.ts';
import { printTokens, toBare } from './print-tokens.ts';
import type { Rewrite } from './rewrite.ts';
import type { InjectSettings } from './settings.ts';
import { isWord, sign, tokenize, type Token } from '../../mail/address-tokens.ts';

export type Maker = {
  readonly settings: InjectSettings;
  readonly rewrite: Rewrite;
  readonly at: Instant;
  readonly pid: number;
  /** Mailing lists that get Mail-Followup-To, in lower case; absent: nobody does. */
  readonly lists: ReadonlySet<string> | undefined;
};

/** The fields in front of those that came along. `answerTo`: the addresses of To and Cc. */
export const addedFields = (
  seen: ReadonlySet<FieldName>,
  maker: Maker,
  answerTo: readonly AddressTokens[],
): readonly string[] =>
  isResent(seen) ? addToResent(seen, maker) : addToPlain(seen, maker, answerTo);

/** Any `Resent-` field makes it a letter that was sent on. */
export const isResent = (seen: ReadonlySet<FieldName>): boolean =>
  [...seen].some((name) => name.startsWith('resent-'));

/** The caller; `m` puts time and process into it, `r` makes it one that each recipient gets a form of (VERP). */
export function defaultSender({ settings, rewrite, at, pid }: Maker): string {
  const { senderUser, senderHost, letters } = settings;
  const stamp = letters.verpMessage ? `-${Math.floor(at / 1000)}.${pid}` : '';
  const dash = letters.verpRecipient ? '-' : '';
  return toBare(rewrite(userAt(senderUser + stamp + dash, senderHost))) + verpSuffix(settings);
}

/** Asks the queue for a return path per recipient. */
export const verpSuffix = ({ letters }: InjectSettings): string =>
  letters.verpRecipient ? '-@[]' : '';

const hidden = 'recipient list not shown: ;';

function addToPlain(
  seen: ReadonlySet<FieldName>,
  maker: Maker,
  answerTo: readonly AddressTokens[],
): readonly string[] {
  const added: string[] = [];
  if (!seen.has('date')) added.push(`Date: ${formatDate(maker.at)}\n`);
  if (!seen.has('message-id')) added.push(`Message-ID: ${messageId(maker)}\n`);
  if (!seen.has('from')) added.push(`From: ${generatedFrom(maker)}\n`);
  if (!seen.has('to') && !seen.has('cc')) added.push(`Cc: ${hidden}\n`);
  if (maker.lists !== undefined && !seen.has('mail-followup-to')) {
    added.push(...mailFollowupTo(answerTo, maker.lists));
  }
  return added;
}

function addToResent(seen: ReadonlySet<FieldName>, maker: Maker): readonly string[] {
  const added: string[] = [];
  if (!seen.has('resent-date')) added.push(`Resent-Date: ${formatDate(maker.at)}\n`);
  if (!seen.has('resent-message-id')) added.push(`Resent-Message-ID: ${messageId(maker)}\n`);
  if (!seen.has('resent-from')) added.push(`Resent-From: ${generatedFrom(maker)}\n`);
  if (!seen.has('resent-to') && !seen.has('resent-cc')) added.push(`Resent-Cc: ${hidden}\n`);
  return added;
}

/** `<20261120234404.1641.qmail@idhost>`, UTC. */
function messageId({ at, pid, settings }: Maker): string {
  const digits = new Date(at).toISOString().replace(/\D/g, '').slice(0, 14);
  return `<${digits}.${pid}.qmail@${settings.idhost}>`;
}

function generatedFrom({ settings, rewrite }: Maker): string {
  const { user, host, fullName, letters } = settings;
  const address = rewrite(userAt(user, host));
  if (fullName === undefined) return printTokens(address);
  if (letters.nameInComment) {
    return printTokens([...address, { kind: 'comment', text: fullName }]);
  }
  return printTokens([{ kind: 'quote', text: fullName }, sign('<'), ...address, sign('>')]);
}

/** A host that is no host is taken as one word, in quotes: nothing of it may become an address of its own. */
function userAt(user: string, host: string | undefined): readonly Token[] {
  const local = tokenize(quoteLocal(user)) ?? [];
  if (host === undefined) return local;
  const tokens = tokenize(host);
  const word: Token = { kind: 'quote', text: host };
  return [...local, sign('@'), ...(tokens !== undefined && isHost(tokens) ? tokens : [word])];
}

/** Words and dots, no two words side by side. */
const isHost = (tokens: readonly Token[]): boolean =>
  tokens.every(
    (token, index) =>
      token.kind === '.' || (isWord(token) && !(index > 0 && isWord(tokens[index - 1]!))),
  );
