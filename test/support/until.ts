import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds from one question to the next: what is quick shall not be waited for. */
const pauses = [0, 1, 2, 5, 10] as const;
const longestPause = 15;

/**
 * Asks again and again until the answer is worth something; for real processes, which have no clock of ours.
 * The limit is for what will never be: a machine may be slow.
 */
export async function until<T>(
  ask: () => T | Promise<T>,
  what: string,
  limitMs = 60_000,
): Promise<NonNullable<T>> {
  const end = Date.now() + limitMs;
  for (let asked = 0; ; asked += 1) {
    const answer = await ask();
    if (
      answer !== undefined &&
      answer !== null &&
      answer !== false &&
      answer !== '' &&
      !(Array.isArray(answer) && answer.length === 0)
    ) {
      return answer;
    }
    if (Date.now() > end) throw new Error(`waited ${limitMs} ms for ${what}`);
    await sleep(pauses[asked] ?? longestPause);
  }
}
