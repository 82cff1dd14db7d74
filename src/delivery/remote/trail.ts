/** Takes down how one transaction finds its far side, for the record: what DNS said, who did not answer. Bounded. */
import { mostReached, type DnsAnswered, type Reached } from '../../mail/reached.ts';
import type { Outcome } from '../../mail/verdict.ts';
import type { Instant } from '../../platform/clock.ts';
import type { Dns, DnsAnswer } from '../../platform/dns.ts';
import type { Target } from './ports.ts';
import type { Recipient } from './verdicts.ts';

export type Trail = {
  /** The same DNS, overheard. */
  readonly dns: Dns;
  overOpenConnection(): void;
  /** `came`: `timed-out`, `unreachable`, `greeting-failed`. */
  inVain(target: Target, came: string): void;
  passedBy(address: string, untilAt: Instant): void;
  /** `undefined` when there is nothing that the reply does not say. */
  all(): Reached | undefined;
};

export function openTrail(dns: Dns): Trail {
  const questions: DnsAnswered[] = [];
  const vain: string[] = [];
  const passed: { address: string; untilAt: Instant }[] = [];
  let open = false;
  const hear = <T>(
    asked: DnsAnswered['asked'],
    name: string,
    answer: DnsAnswer<T>,
    format: (value: T) => string,
  ): DnsAnswer<T> => {
    if (questions.length < mostReached.questions) {
      questions.push({ asked, name, ...answered(answer, format) });
    }
    return answer;
  };
  return {
    dns: {
      mx: async (name) =>
        hear('MX', name, await dns.mx(name), ({ preference, host }) => `${preference} ${host}`),
      addresses: async (name) => hear('address', name, await dns.addresses(name), String),
    },
    overOpenConnection: () => {
      open = true;
    },
    inVain: (target, came) => {
      if (vain.length < mostReached.addresses) vain.push(`${formatEndpoint(target)} ${came}`);
    },
    passedBy: (address, untilAt) => {
      if (passed.length < mostReached.addresses) passed.push({ address, untilAt });
    },
    all: () =>
      open
        ? { open: true }
        : questions.length + vain.length + passed.length === 0
          ? undefined
          : {
              ...(questions.length === 0 ? {} : { dns: questions }),
              ...(vain.length === 0 ? {} : { inVain: vain }),
              ...(passed.length === 0 ? {} : { passedBy: passed }),
            },
  };
}

function answered<T>(
  answer: DnsAnswer<T>,
  format: (value: T) => string,
): Omit<DnsAnswered, 'asked' | 'name'> {
  if (answer.kind === 'temporary') return {};
  if (answer.kind === 'none') return { found: [] };
  const { values } = answer;
  const found = values.slice(0, mostReached.answers).map((value) => format(value).slice(0, 260));
  const more = values.length - found.length;
  return more === 0 ? { found } : { found, more };
}

/** On the first outcome that will be told: the others came the same way. `left` get another transaction. */
export function withTrail(
  {
    outcomes,
    left,
  }: { readonly outcomes: readonly Outcome[]; readonly left: readonly Recipient[] },
  reached: Reached | undefined,
): readonly Outcome[] {
  if (reached === undefined) return outcomes;
  const first = outcomes.find(({ rcpt }) => !left.some((other) => other.rcpt === rcpt));
  return outcomes.map((outcome) => (outcome === first ? { ...outcome, reached } : outcome));
}

const formatEndpoint = ({ address, port }: Target): string =>
  `${address.includes(':') ? `[${address}]` : address}:${port}`;
