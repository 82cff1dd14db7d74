/** Why a question does not go on, in a sentence. */
import type { Position } from '../log/ports.ts';
import type { Parked } from './ports.ts';

/** `upTo`: the last event that it took. Strangers' text in it is not made harmless yet. */
export function parkedWords(name: string, upTo: Position, parked: Parked): string {
  const { during, event, error, where } = parked;
  const what = `the question ${name} failed`;
  const why = where === undefined ? error : `${error} at ${where}`;
  if (during === 'answer') return `${what} at its answer: ${why}`;
  const took = `up to event ${upTo} it took everything`;
  if (event === undefined) return `${what}: ${why}; ${took}`;
  const { position, stream, revision, type } = event;
  return `${what} at event ${position} (${type}, revision ${revision} of ${stream}): ${why}; ${took}`;
}
