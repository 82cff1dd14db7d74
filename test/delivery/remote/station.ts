/** Remote delivery with everything around it in the test's hand: DNS, clock, and who answers where. */
import { firstValueFrom } from 'rxjs';
import { remoteChannel } from '../../../src/delivery/remote/channel.ts';
import { tcpDial } from '../../../src/delivery/remote/dial.ts';
import type { Dial, RemoteSettings } from '../../../src/delivery/remote/ports.ts';
import { emptyTcpto } from '../../../src/delivery/remote/tcpto.ts';
import type { Outcome } from '../../../src/mail/verdict.ts';
import { ManualClock } from '../../../src/platform/clock.ts';
import type { Zone } from '../../../src/platform/dns-scripted.ts';
import { scriptedDns } from '../../../src/platform/dns-scripted.ts';
import type { BodySource, Order } from '../../../src/queue/ports.ts';
import type { FarSide } from '../../support/smtp-script.ts';

/** Who sits at an address of the documentation networks. */
export type World = { readonly [address: string]: FarSide | 'timeout' | 'refused' };

const zone: Zone = {
  'b.test': { mx: [[10, 'mx.b.test']] },
  'mx.b.test': { addresses: ['192.0.2.1'] },
  'two.test': {
    mx: [
      [10, 'mx.b.test'],
      [20, 'mx2.b.test'],
    ],
  },
  'mx2.b.test': { addresses: ['192.0.2.2'] },
};

const settings: RemoteSettings = {
  heloHost: 'me.test',
  timeoutConnectMs: 1_000,
  // Longer than any test: who waits for it has a reason to say so.
  timeoutRemoteMs: 60_000,
  tls: 'opportunistic',
  idleMs: 5_000,
  maxPerConnection: 100,
  listenPorts: [2525],
};

export function bodyOf(text: string, pieces?: readonly string[]): BodySource {
  const bytes = Buffer.from(text, 'latin1');
  return {
    ref: { id: 'body', bytes: bytes.length, sha256: '' },
    ...(pieces === undefined ? { inline: bytes } : {}),
    async *read() {
      for (const piece of pieces ?? [text]) yield Buffer.from(piece, 'latin1');
    },
  };
}

export function orderFor(
  recipients: readonly string[] = ['joe@b.test'],
  over: Partial<Order> = {},
): Order {
  return {
    message: 'm1',
    attempt: 1,
    startedAt: Date.UTC(2026, 0, 1),
    channel: 'remote',
    hop: { host: 'b.test' },
    returnPath: 'ann@a.test',
    recipients: recipients.map((address, rcpt) => ({ rcpt, address })),
    body: bodyOf('Subject: hi\r\n\r\nhello\r\n'),
    eightBit: false,
    utf8: false,
    ...over,
  };
}

export function station(world: World, over: Partial<RemoteSettings> = {}) {
  const clock = new ManualClock();
  const tcpto = emptyTcpto();
  const dns = scriptedDns(zone);
  /** Every address a connection was asked for. */
  const dialled: string[] = [];
  const dial: Dial = (target, options) => {
    dialled.push(target.address);
    const there = world[target.address] ?? 'refused';
    if (typeof there === 'string') {
      const code = there === 'timeout' ? 'ETIMEDOUT' : 'ECONNREFUSED';
      return Promise.reject(Object.assign(new Error(code), { code }));
    }
    return tcpDial({ ...target, address: '127.0.0.1', port: there.port }, options);
  };
  const channel = remoteChannel({
    dns,
    dial,
    clock,
    tcpto,
    settings: () => ({ ...settings, ...over }),
    random: () => 0,
    ownAddresses: () => new Set(['203.0.113.1']),
  });
  return {
    channel,
    clock,
    tcpto,
    dns,
    dialled,
    /** The outcomes of one attempt, by recipient. */
    async deliver(order: Order = orderFor()): Promise<readonly Outcome[]> {
      const { outcomes } = await firstValueFrom(channel.attempt(order));
      return [...outcomes].sort((a, b) => a.rcpt - b.rcpt);
    },
  };
}

/** `K`, `Z` or `D` and the text, as qmail's spawner would hear it. */
export const spoken = ({ kind, reply }: Outcome): string =>
  `${{ delivered: 'K', deferred: 'Z', failed: 'D' }[kind]}${reply.text}`;

/** What a far side says that takes a letter of ann@a.test for these; a script for `smtpScript`. */
export const takesFor = (...recipients: readonly string[]): string =>
  [
    ...['S: 220 mx', 'C: EHLO me.test', 'S: 250 mx'],
    ...['C: MAIL FROM:<ann@a.test>', 'S: 250 ok'],
    ...recipients.flatMap((address) => [`C: RCPT TO:<${address}>`, 'S: 250 ok']),
    ...['C: DATA', 'S: 354 go', 'body', 'S: 250 k'],
  ].join('\n');
