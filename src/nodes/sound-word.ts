/**
 * What is believed of an event in a lease's stream: an event store takes events from everybody who knows its
 * password, and from releases newer than this one. Members that we do not know are left out.
 */
import type { Incarnation, LeaseEvent, LeaseFacts, WhyTaken } from './events.ts';

type Fields = Readonly<Record<string, unknown>>;

/** An incarnation, or a node's name in a test; in lines and files it can do no harm. */
export const isName = (text: unknown): text is string =>
  typeof text === 'string' && /^[\x21-\x7e]{1,100}$/.test(text);

/** The event as far as it makes sense; `undefined`: it does not, or is of a type that we do not know. */
export function soundWord({ type, v, at, data }: LeaseEvent): LeaseEvent | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const said: Fields = { ...data };
  switch (type) {
    case 'LeaseOpened': {
      const facts = factsIn(said);
      return facts && { type, v, at, data: facts };
    }
    case 'LeaseBeat': {
      const { open, lease } = said;
      const told = lease === undefined ? {} : openedIn(lease);
      if (!areNumbers(open) || told === undefined) return undefined;
      return { type, v, at, data: { ...data, ...told } };
    }
    case 'LeaseDraining':
    case 'LeaseClosed':
      return areNumbers(said['open'])
        ? ({ type, v, at, data: { open: said['open'] } } as never)
        : undefined;
    case 'LeaseTaken': {
      const { by, why } = said;
      // A reason that only a newer release knows proves nothing.
      return isName(by)
        ? { type, v, at, data: { by, why: isWhy(why) ? why : 'silent' } }
        : undefined;
    }
    case 'LeaseDeclaredGone': {
      const { by, why } = said;
      const isSaid = typeof by === 'string' && typeof why === 'string';
      return isSaid ? { type, v, at, data: { by, why } } : undefined;
    }
    default:
      return undefined;
  }
}

/** Who took the lease, as far as that can be believed. */
export function takerIn(event: LeaseEvent): Incarnation | undefined {
  const said = soundWord(event);
  return said?.type === 'LeaseTaken' ? said.data.by : undefined;
}

function openedIn(lease: unknown): { readonly lease: object } | undefined {
  if (typeof lease !== 'object' || lease === null) return undefined;
  const facts = factsIn({ ...lease });
  const { openedAt } = lease as Fields;
  return facts && areNumbers(openedAt) ? { lease: { ...facts, openedAt } } : undefined;
}

function factsIn({ node, beatMs, ttlMs, home, boot, fenced }: Fields): LeaseFacts | undefined {
  if (typeof node !== 'string' || !isSpan(beatMs) || !isSpan(ttlMs)) return undefined;
  return {
    ...{ node, beatMs, ttlMs },
    ...(typeof home === 'string' ? { home } : {}),
    ...(typeof boot === 'string' ? { boot } : {}),
    ...(fenced === true ? { fenced } : {}),
  };
}

const areNumbers = (...values: readonly unknown[]): boolean => values.every(Number.isFinite);

/** Whoever asks for more would have others wait for ever. */
const longestSpanMs = 3_600_000;
const isSpan = (ms: unknown): ms is number =>
  typeof ms === 'number' && ms > 0 && ms <= longestSpanMs;

const whys: readonly unknown[] = ['silent', 'closed', 'restarted', 'gone'] satisfies WhyTaken[];
const isWhy = (why: unknown): why is WhyTaken => whys.includes(why);
