/**
 * qmail-remote: one letter to one host, over SMTP, and a report on stdout for whoever called it.
 * The engine does the same within itself; this is for scripts, and for trying out a host.
 */
import { closeSync } from 'node:fs';
import { domainKeys, findDomain } from '../../../control/virtual-domains.ts';
import { parseRelay } from '../../../control/relay.ts';
import {
  badRecipient,
  badSender,
  reach,
  type DeliverParts,
  type Said,
} from '../../../delivery/remote/deliver.ts';
import { saysYes } from '../../../delivery/remote/replies.ts';
import { isSendable } from '../../../delivery/remote/sendable.ts';
import { leftOver, messageReport, recipientReport } from '../../../delivery/remote/verdicts.ts';
import { asciiLower } from '../../../mail/address.ts';
import { lfToCrlf } from '../../../mail/newlines.ts';
import type { VerdictKind } from '../../../mail/verdict.ts';
import type { BodySource, NextHop, Order } from '../../../queue/ports.ts';
import type { Print } from '../lib/print.ts';
import type { Program } from '../lib/program.ts';
import { openMessage, type Message } from '../tables/message.ts';

export type RemoteTools = {
  readonly stdin: number;
  readonly print: Print;
  /** Throws when the control files cannot be read. */
  readonly prepare: () => {
    readonly parts: DeliverParts;
    readonly smtproutes: ReadonlyMap<string, string>;
  };
};

/** `qmail-remote host sender recipient ...`. The report says all: the exit code is always 0. */
export const qmailRemote =
  ({ stdin, print, prepare }: RemoteTools): Program =>
  async ({ args: [host, sender, ...recipients] }) => {
    const report = (texts: readonly string[]) => print(texts.map((text) => `${text}\0`).join(''));
    if (host === undefined || sender === undefined || recipients.length === 0) {
      report(['DI (qmail-remote) was invoked improperly. (#5.3.5)\n']);
      return 0;
    }
    let prepared: ReturnType<RemoteTools['prepare']>;
    try {
      prepared = prepare();
    } catch {
      report(['ZUnable to read control files. (#4.3.0)\n']);
      return 0;
    }
    const message = openMessage(stdin);
    try {
      const { parts, smtproutes } = prepared;
      const asked = { sender, recipients, hop: hopTo(host, smtproutes) };
      report(await send(asked, message, parts));
    } finally {
      prepared.parts.pool.close();
      message.close();
    }
    return 0;
  };

function hopTo(host: string, smtproutes: ReadonlyMap<string, string>): NextHop {
  const found = findDomain(domainKeys(asciiLower(host)), smtproutes);
  const relay = found && parseRelay(found.prefix);
  return relay === undefined ? { host } : { host, relay };
}

type Asked = {
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly hop: NextHop;
};

async function send(
  { sender, recipients, hop }: Asked,
  message: Message,
  parts: DeliverParts,
): Promise<readonly string[]> {
  if (!isSendable(sender)) return [`D${badSender}`];
  const all = recipients.map((address, rcpt) => ({ rcpt, address }));
  const good = all.filter(({ address }) => isSendable(address));
  if (good.length === 0) return [...all.map(() => `h${badRecipient}`), 'D'];
  const order: Order = {
    ...{ message: '', attempt: 1, startedAt: parts.clock.now(), channel: 'remote', hop },
    ...{ returnPath: sender, recipients: good, utf8: false, ...(await readBody(message)) },
  };
  return formatReports(all.length, await reach(order, parts));
}

const letters: Readonly<Record<VerdictKind, string>> = {
  delivered: 'K',
  deferred: 'Z',
  failed: 'D',
};
const rcptLetters: Readonly<Record<VerdictKind, string>> = {
  ...{ delivered: 'r', deferred: 's', failed: 'h' },
};

/** First a report on each recipient that was spoken of: r, s or h; last the one on the letter: K, Z or D. */
function formatReports(count: number, { outcomes, heard }: Said): readonly string[] {
  if (heard === undefined) {
    const { kind, reply } = outcomes[0]!;
    return [letters[kind] + reply.text];
  }
  const { recipients, course, peer } = heard;
  const answers = 'rcpts' in course ? course.rcpts : [];
  const tooMany = new Set(leftOver(recipients, course));
  const onMessage = messageReport(course, peer.address);
  const reports = Array.from({ length: count }, (_, rcpt) => {
    const at = recipients.findIndex((recipient) => recipient.rcpt === rcpt);
    if (at < 0) {
      // Refused by ourselves, before or instead of RCPT.
      const own = outcomes.find((outcome) => outcome.rcpt === rcpt);
      return own === undefined ? [`h${badRecipient}`] : [rcptLetters[own.kind] + own.reply.text];
    }
    const answer = answers[at];
    if (answer === undefined) return [];
    const refused = saysYes(answer) ? undefined : recipientReport(answer, peer.address);
    if (refused === undefined) return ['r'];
    return [rcptLetters[tooMany.has(recipients[at]!) ? 'deferred' : refused.kind] + refused.text];
  });
  return [...reports.flat(), letters[onMessage.kind] + onMessage.text];
}

/** Read twice: its size goes ahead of it. */
async function readBody(message: Message): Promise<Pick<Order, 'body' | 'eightBit'>> {
  let bytes = 0;
  let eightBit = false;
  const copy = await message.open();
  const read = () => converted(message);
  closeSync(copy);
  for await (const chunk of read()) {
    bytes += chunk.length;
    eightBit ||= chunk.some((byte) => byte > 127);
  }
  const body: BodySource = { ref: { id: '', bytes, sha256: '' }, read };
  return { body, eightBit };
}

async function* converted(message: Message): AsyncGenerator<Uint8Array> {
  const converter = lfToCrlf();
  for await (const chunk of message.chunks()) yield converter.push(chunk);
  yield converter.end();
}
