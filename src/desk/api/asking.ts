/** What the addresses of the API share: how questions are spelled, how answers are described, what is refused. */
import { z } from '@hono/zod-openapi';
import type { Place } from '../../past/ports.ts';
import { Trouble } from '../../mail/trouble.ts';
import type { Clock, Instant } from '../../platform/clock.ts';
import { parseInstant } from '../../trace/parse-instant.ts';
import * as shape from './shapes.ts';

export const json = <S extends z.ZodType>(schema: S, description: string) => ({
  content: { 'application/json': { schema } },
  description,
});

export const troubles = {
  400: json(shape.trouble, 'The question makes no sense'),
  401: json(shape.trouble, 'Nobody knows you'),
  404: json(shape.trouble, 'There is no such letter'),
  503: json(shape.trouble, 'Not now: try again'),
};

export const timeText = z.string().max(100).openapi({
  description: 'ISO 8601, or as a person types it: -2h, yesterday 06:00',
  example: '2026-11-21T06:00:00Z',
});
export const limit = (fallback: number, most: number) =>
  z.coerce.number().int().min(1).max(most).default(fallback);
export const text = z.string().max(500).optional();
export const id = z.object({
  id: z.string().max(100).openapi({ description: 'the id, or a part that only one letter has' }),
});

/** From what a person types; throws `refused`. */
export function timesBy(clock: Pick<Clock, 'now'>) {
  const instantOf = (given: string | undefined): Instant | undefined => {
    if (given === undefined) return undefined;
    const at = parseInstant(given, clock.now());
    if (at === undefined) throw refused(`${JSON.stringify(given.slice(0, 80))} is no time`);
    return at;
  };
  const placeOf = (given: string | undefined): Place | undefined => {
    if (given !== undefined && /^\d{1,15}$/.test(given)) return { position: Number(given) };
    const at = instantOf(given);
    return at === undefined ? undefined : { at };
  };
  return { instantOf, placeOf };
}

export const refused = (detail: string): Trouble =>
  new Trouble('refused', { tryAgain: false, peer: 'refused', detail });

export const definedOf = <T extends object>(given: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
