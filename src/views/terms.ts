/**
 * Letters as words of a full-text index, so that a few of tens of millions are found by any of them. A term
 * is a kind, one character, and a value in lower case. What is found is looked at again: a term may say
 * too much, never too little.
 */
import type { MessageId } from '../mail/envelope.ts';
import type { Question } from '../trace/search.ts';
import { facts } from './letter.ts';

export const kinds = {
  sender: 's',
  senderDomain: 'S',
  recipient: 'r',
  recipientDomain: 'R',
  /** Next hop, relay, name or address of the host that answered. */
  host: 'h',
  /** Number of a reply's shape. */
  shape: 't',
  messageId: 'm',
  parent: 'p',
  fact: 'z',
  size: 'b',
} as const;
export type TermKind = keyof typeof kinds;

/** What the index would take for the end of a word, as a letter beyond ASCII. */
const separators = /[\0- "'`\x7f]/g;
const encode = (text: string): string =>
  text.toLowerCase().replace(separators, (char) => String.fromCharCode(0x100 + char.charCodeAt(0)));

export const term = (kind: TermKind, value: string | number): string =>
  kindLetter(kind) + encode(String(value));

/** The index folds case: kinds that differ in it are told apart by a mark. */
const kindLetter = (kind: TermKind): string => {
  const letter = kinds[kind];
  return letter >= 'a' ? letter : `${letter.toLowerCase()}@`;
};

export const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1);

/** How many recipients share one entry of the index: a letter to thousands has many. */
export const recipientsPerEntry = 64;
/** Entries of one letter are numbered; two to the power of this is more than any letter has. */
export const entriesPerLetter = 4096;

/** Facts that stay true, each a term; what changes to and fro is in the rows only. */
export const lastingFacts = facts.failed | facts.cancelled | facts.bounced | facts.doubt;

/** 1, 2, 4, 8 … KiB and so on: the power of two at or below. */
export const sizeClass = (bytes: number): number => Math.floor(Math.log2(Math.max(1, bytes)));
const largestClass = 40;

/** All that an entry says. */
export type EntryFacts = {
  readonly returnPath: string;
  readonly bytes: number;
  readonly messageId: string | undefined;
  readonly parent: MessageId | undefined;
  readonly addresses: Iterable<string>;
  readonly hosts: Iterable<string>;
  readonly shapes: Iterable<number>;
  readonly facts: number;
};

export function termsOf(entry: EntryFacts): string {
  const { returnPath, messageId, parent } = entry;
  const terms = new Set([
    term('sender', returnPath),
    term('senderDomain', domainOf(returnPath)),
    term('size', sizeClass(entry.bytes)),
  ]);
  if (messageId !== undefined) terms.add(term('messageId', messageId));
  if (parent !== undefined) terms.add(term('parent', parent));
  for (const address of entry.addresses) {
    terms.add(term('recipient', address));
    terms.add(term('recipientDomain', domainOf(address)));
  }
  for (const host of entry.hosts) {
    if (!terms.has(term('recipientDomain', host))) terms.add(term('host', host));
  }
  for (const shape of entry.shapes) terms.add(term('shape', shape));
  for (let bit = 1; bit <= lastingFacts; bit *= 2) {
    if ((entry.facts & lastingFacts & bit) !== 0) terms.add(term('fact', bit));
  }
  return [...terms].join(' ');
}

/**
 * The question as a query of the index; absent when nothing in it is indexed. `shapes`: those that contain
 * the text asked for in replies.
 */
export function queryOf(question: Question, shapes?: readonly number[]): string | undefined {
  const { sender, recipient, domain, host, messageId, parent, status } = question;
  const all = [
    sender && addressQuery(sender, 'sender', 'senderDomain'),
    recipient && addressQuery(recipient, 'recipient', 'recipientDomain'),
    domain && anyOf([quoted('senderDomain', domain), quoted('recipientDomain', domain)]),
    host && hostQuery(host),
    messageId && quoted('messageId', messageId),
    parent && quoted('parent', parent),
    status && statusQuery(status),
    sizeQuery(question),
    shapes && anyOf(shapes.map((shape) => quoted('shape', shape))),
  ].filter((each): each is string => typeof each === 'string' && each !== '');
  return all.length === 0 ? undefined : all.map((each) => `(${each})`).join(' AND ');
}

const quoted = (kind: TermKind, value: string | number): string => `"${term(kind, value)}"`;
const anyOf = (queries: readonly string[]): string => queries.join(' OR ');

/** The patterns of `fits`: exact, `@domain`, a beginning before the first `*`; else it is not indexed. */
function addressQuery(pattern: string, whole: TermKind, domain: TermKind): string | undefined {
  if (pattern === '<>') return quoted(whole, '');
  const rest = pattern.replace(/^\*+/, '');
  // `*x@b.test` and `@b.test`: all of the domain are looked at.
  const at = rest.lastIndexOf('@');
  const isOfDomain = rest !== pattern || at === 0;
  if (isOfDomain && at >= 0 && !rest.includes('*')) return quoted(domain, rest.slice(at + 1));
  return beginning(pattern, whole);
}

/** A next hop that is the recipient's own domain has no term of its own. */
function hostQuery(pattern: string): string | undefined {
  const named = beginning(pattern, 'host');
  return named && anyOf([named, beginning(pattern, 'recipientDomain')!]);
}

function beginning(pattern: string, kind: TermKind): string | undefined {
  const star = pattern.indexOf('*');
  if (star === -1) return quoted(kind, pattern);
  return star === 0 ? undefined : `${quoted(kind, pattern.slice(0, star))} *`;
}

function statusQuery(status: NonNullable<Question['status']>): string | undefined {
  const bit = facts[status];
  return (bit & lastingFacts) === 0 ? undefined : quoted('fact', bit);
}

/** Only what is larger than most mail is worth it. */
function sizeQuery({ minBytes }: Question): string | undefined {
  if (minBytes === undefined || minBytes < 65_536) return undefined;
  const from = sizeClass(minBytes);
  return anyOf(Array.from({ length: largestClass - from }, (_, n) => quoted('size', from + n)));
}
