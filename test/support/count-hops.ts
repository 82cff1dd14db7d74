import { hopCounter } from '../../src/mail/hops.ts';

/** The hops of a letter, or of as much of its start as is at hand. */
export function countHops(bytes: Uint8Array): number {
  const counter = hopCounter();
  counter.push(bytes);
  return counter.hops;
}
