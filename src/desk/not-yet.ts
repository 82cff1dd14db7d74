/** For what may not be there yet: pages and numbers are shown without it. */
import { isTrouble } from '../mail/trouble.ts';

/** `undefined` for what will be there when one tries again; everything else is thrown on. */
export async function unlessNotYet<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (cause) {
    if (isTrouble(cause) && cause.tryAgain) return undefined;
    throw cause;
  }
}

/** A page does not wait for what takes long: it says what is known, and asks again. */
const soonMs = 400;

type Soon<Asked> = { readonly [K in keyof Asked]: Awaited<Asked[K]> | undefined };

/** What fails for now, or takes longer, is `undefined`; bugs are thrown. */
export async function knownSoon<Asked extends Readonly<Record<string, Promise<unknown>>>>(
  asked: Asked,
): Promise<Soon<Asked>> {
  const soon = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => soon.resolve(undefined), soonMs);
  const known = Object.entries(asked).map(async ([name, answer]) => {
    return [name, await Promise.race([unlessNotYet(answer), soon.promise])] as const;
  });
  try {
    return Object.fromEntries(await Promise.all(known)) as Soon<Asked>;
  } finally {
    clearTimeout(timer);
  }
}
