import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again and again until the answer is worth something; for real processes, which have no clock of ours. */
export async function until<T>(
  ask: () => T | Promise<T>,
  what: string,
  limitMs = 15_000,
): Promise<NonNullable<T>> {
  const end = Date.now() + limitMs;
  for (;;) {
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
    await sleep(15);
  }
}
