/**
 * The machine's resolver (c-ares, which asks again over TCP when an answer was truncated). No search
 * list and no /etc/hosts, as in qmail's dns.c. Nothing is cached here.
 */
import { Resolver } from 'node:dns/promises';
import { domainToASCII } from 'node:url';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import type { Dns, DnsAnswer, MxRecord } from './dns.ts';

export type SystemDnsOptions = {
  /** `address:port` of each server, instead of the system's. */
  readonly servers?: readonly string[];
  /** How long one question may take, retries included. */
  readonly limitMs?: number;
  readonly clock?: Clock;
};

/** c-ares asks each server this often, waiting longer each time. */
const tries = 3;

/** Errors that are answers: the name or the record does not exist, or the name cannot. */
const firmNo = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);

/** What may be asked. c-ares would cut a name at a NUL and read `\` as an escape. */
const askable = /^[A-Za-z0-9_.-]{1,254}$/;

/** A Unicode name as DNS spells it (RFC 5891); `undefined` for what is no name. */
function asciiName(host: string): string | undefined {
  const name = /[\u0080-\uffff]/.test(host) ? domainToASCII(host) : host;
  return askable.test(name) ? name : undefined;
}

function union<T>(first: DnsAnswer<T>, second: DnsAnswer<T>): DnsAnswer<T> {
  const values = [first, second].flatMap((answer) =>
    answer.kind === 'found' ? answer.values : [],
  );
  if (values.length > 0) return { kind: 'found', values };
  return first.kind === 'temporary' ? first : second;
}

export function systemDns(options: SystemDnsOptions = {}): Dns {
  const { limitMs = 20_000, clock = systemClock } = options;
  const resolver = new Resolver({ timeout: Math.max(1, Math.ceil(limitMs / 4)), tries });
  if (options.servers !== undefined) resolver.setServers([...options.servers]);

  /** One question under our own limit; c-ares gives up by itself some time later. */
  function ask<R, T>(question: () => Promise<R[]>, read: (row: R) => T): Promise<DnsAnswer<T>> {
    return new Promise((resolve) => {
      const cancel = clock.after(limitMs, () => resolve({ kind: 'temporary', reason: 'ETIMEOUT' }));
      const settle = (answer: DnsAnswer<T>) => {
        cancel();
        resolve(answer);
      };
      question().then(
        (rows) =>
          settle(rows.length > 0 ? { kind: 'found', values: rows.map(read) } : { kind: 'none' }),
        (cause: unknown) => settle(fromError(cause)),
      );
    });
  }

  return {
    async mx(host) {
      const name = asciiName(host);
      if (name === undefined) return { kind: 'none' };
      return ask(
        () => resolver.resolveMx(name),
        ({ priority, exchange }): MxRecord => ({
          preference: priority,
          host: exchange === '.' ? '' : exchange,
        }),
      );
    },
    async addresses(host) {
      const name = asciiName(host);
      if (name === undefined) return { kind: 'none' };
      const same = (address: string) => address;
      const [v4, v6] = await Promise.all([
        ask(() => resolver.resolve4(name), same),
        ask(() => resolver.resolve6(name), same),
      ]);
      return union(v4, v6);
    },
  };
}

function fromError(cause: unknown): DnsAnswer<never> {
  const { code } = Object(cause) as { readonly code?: unknown };
  const reason = typeof code === 'string' ? code : 'EUNKNOWN';
  return firmNo.has(reason) ? { kind: 'none' } : { kind: 'temporary', reason };
}
