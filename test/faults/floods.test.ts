/**
 * Text made to be slow to read. Whatever a stranger (or a user's own file) may say, reading twice as much of it
 * costs about twice as much. Growth is judged, not speed: how fast this machine is does not matter.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { shapeOf } from '../../projections/deferral-reasons.ts';
import { dotQmailNames } from '../../src/aliases/dot-qmail-names.ts';
import { formatParagraph } from '../../src/bounce/report.ts';
import { FoldedMap, FoldedSet } from '../../src/control/folded.ts';
import { acceptsRecipient } from '../../src/control/rcpthosts.ts';
import { parseDotQmail } from '../../src/delivery/local/dot-qmail.ts';
import { quoteFrom } from '../../src/delivery/local/quote-from.ts';
import { literalAddress } from '../../src/delivery/remote/hosts.ts';
import {
  cleanReply,
  enhancedStatus,
  replyReader,
  toReply,
} from '../../src/delivery/remote/replies.ts';
import { subjectIn } from '../../src/desk/subject.ts';
import { headerReader } from '../../src/ingress/inject/header-reader.ts';
import { DataDecoder } from '../../src/ingress/smtp/data-decoder.ts';
import { parsePath } from '../../src/ingress/smtp/path.ts';
import { tokenize } from '../../src/mail/address-tokens.ts';
import { formatHeaderAddress, formatPath } from '../../src/mail/address.ts';
import { messageIdReader } from '../../src/mail/header-message-id.ts';
import { countHops } from '../support/count-hops.ts';
import { crlfToLf, normalizeNewlines } from '../../src/mail/newlines.ts';
import { safeLine, sanitizeForLog } from '../../src/mail/sanitize.ts';
import { expandVerp } from '../../src/mail/verp.ts';
import { route, toRoutingRules } from '../../src/queue/routing.ts';
import { parseControls } from '../../src/control/controls.ts';
import { fits } from '../../src/trace/address-pattern.ts';
import { shapeOf as viewShapeOf } from '../../src/views/shape.ts';
import { readProxyHeader } from '../../src/wire/proxy-header.ts';

/** As programs may name them; doors take less. Names below each dot and dash cost the square of it. */
const longestAddress = 1_002;
const bytes = (text: string) => Buffer.from(text, 'latin1');
const rules = toRoutingRules(
  parseControls({ me: 'here.test\n', percenthack: 'here.test\n', virtualdomains: 'v.test:joe\n' })
    .controls,
);
const hosts = {
  ...{ locals: new FoldedSet(), morercpthosts: new FoldedSet(), percenthack: new FoldedSet(['h']) },
  ...{ virtualdomains: new FoldedMap<string>(), rcpthosts: new FoldedSet(['.test']) },
};

async function quoted(text: string): Promise<void> {
  async function* pieces() {
    for (let at = 0; at < text.length; at += 4_096) yield bytes(text.slice(at, at + 4_096));
  }
  for await (const chunk of quoteFrom(pieces())) void chunk;
}

/** Who reads it, what it is made of, and how. */
const readers: readonly (readonly [string, readonly string[], (text: string) => unknown])[] = [
  [
    'MAIL and RCPT',
    ['@a,', '"', '\\', '<', '>', ' ', '@', ':', 'A=1 ', 'é'],
    (text) => [parsePath('TO', `TO:<${text}`), parsePath('FROM', `FROM:<a@h> ${text}`)],
  ],
  [
    'the data of a letter',
    ['\r', '\n', '.', '\r\n', '\0', 'a'],
    (text) => new DataDecoder().push(bytes(text)),
  ],
  [
    'line ends',
    ['\r', '\n', 'a'],
    (text) => [crlfToLf().push(bytes(text)), normalizeNewlines().push(bytes(text))],
  ],
  ['hops', ['Received:', 'Delivered', '\r', '\n', ' '], (text) => countHops(bytes(text))],
  [
    'the Message-ID',
    ['Message-ID:', '\r\n', ' ', '\t', '<', '>', 'a'],
    (text) => {
      const reader = messageIdReader();
      reader.push(bytes(text));
      return reader.found;
    },
  ],
  [
    'the subject',
    ['Subject:', '=?utf-8?q?', '?=', '\r\n ', ' ', '_', '='],
    (text) => subjectIn(bytes(text)),
  ],
  [
    'an address',
    ['@', '.', '"', '\\', '%', 'v.test', 'here.test', '-'],
    (text) => {
      const address = text.slice(0, longestAddress);
      return [
        ...[formatPath(address), formatHeaderAddress(address), route(address, rules)],
        ...[acceptsRecipient(address, hosts), expandVerp(`${address}-@[]`, address)],
        dotQmailNames('-', address),
      ];
    },
  ],
  [
    'an address literal',
    ['[', 'IPv6:', ':', '0', '.', '%', ']'],
    (text) => literalAddress(`[${text}]`),
  ],
  [
    'a reply',
    ['250-', '550 ', '5.1.1', '\r', '\n', ' ', '\x1b'],
    (text) => [
      ...[replyReader().push(text), cleanReply(text)],
      ...[enhancedStatus(toReply(text)), sanitizeForLog(text), safeLine(text, 300)],
    ],
  ],
  [
    'what deferrals have in common',
    ['@', ':', 'a', '1', '.', ' ', '4.7.1'],
    (text) => [...[shapeOf(text), viewShapeOf(text)]],
  ],
  ['a search', ['*', 'a', '@'], (text) => [fits('*a*a*b', text), fits(text, 'aaaaaaaaaaaaaaaa')]],
  [
    'a bounce',
    ['\n', '\r', '\0', 'x'],
    (text) =>
      formatParagraph(
        { address: text, text, expired: true },
        { virtualdomains: rules.virtualdomains },
      ),
  ],
  [
    'a PROXY header',
    ['PROXY TCP4 ', '1', '.', ' ', ':', '\r', '\n'],
    (text) => readProxyHeader(bytes(text)),
  ],
  ['an mbox', ['>', 'From ', 'F', '\n'], quoted],
  ['a .qmail file', [' ', '\t', '\n', '#', '|', '&', '/', '\0'], (text) => parseDotQmail(text)],
  [
    'a header field that names people',
    ['(', ')', '"', '\\', '<', ',', ';', ':', '@', ' '],
    (text) => tokenize(text),
  ],
  [
    'a header',
    ['\n', ' ', 'To:', ':', 'a'],
    (text) => {
      const reader = headerReader();
      reader.push(text);
    },
  ],
];

/** Ever longer: what doubles with each byte shows among the first, what grows by its square among the last. */
const lengths = [16, 22, 28, 1_024, 8_192, 32_768, 65_536];
const pieceOf = (parts: readonly string[], most: number) =>
  fc.array(fc.constantFrom(...parts), { maxLength: most }).map((some) => some.join(''));

/** Milliseconds of processor, this thread's and no waiting. */
async function cost(work: () => unknown): Promise<number> {
  const before = process.threadCpuUsage();
  await work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

/** Costs of a text and of one four times as long: the least of three tries each. */
async function growth(read: (text: string) => unknown, text: string): Promise<number> {
  let [least, most] = [Infinity, Infinity];
  for (let tries = 3; tries > 0; tries -= 1) {
    least = Math.min(least, await cost(() => read(text.slice(0, text.length / 4))));
    most = Math.min(most, await cost(() => read(text)));
  }
  return most / Math.max(least, 1);
}

describe('text made to be slow', () => {
  it.each(readers)('is no trouble for %s', async (_, parts, read) => {
    const flood = fc.record({
      before: pieceOf(parts, 2),
      again: pieceOf(parts, 3).filter((text) => text !== ''),
      after: pieceOf(parts, 2),
    });
    await fc.assert(
      fc.asyncProperty(flood, async ({ before, again, after }) => {
        for (const length of lengths) {
          const times = Math.ceil(length / again.length);
          const text = `${before}${again.repeat(times)}${after}!`;
          // Below this nobody minds, and a measurement would be noise.
          if ((await cost(() => read(text))) < 25) continue;
          // Four times the text: a square would cost sixteen times as much.
          expect(await growth(read, text)).toBeLessThan(9);
        }
      }),
      { numRuns: 25 },
    );
  });
});
