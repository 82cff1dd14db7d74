/** What judging needs besides the log. */
import type { Address } from '../mail/envelope.ts';

/** Who would have a local letter, by the files as they are now. */
export type Home = {
  /** `users/assign:3 +joe-`, `alias`; absent for the empty local part, whose mail is dropped. */
  readonly by?: string;
  readonly user: string;
  readonly home: string;
  readonly ext: string;
  /** Whether anybody would take it: a .qmail file is there, or none is needed. */
  readonly receives: boolean;
  /** Of the user alias, whose files are part of a configuration: the file that counts, and its text. */
  readonly file?: string;
  readonly text?: string;
};

/** `undefined`: nobody can tell. */
export type Homes = (routed: Address) => Promise<Home | undefined>;

/** Before and after; absent: local users are not compared. */
export type TwoHomes = { readonly was: Homes; readonly wouldBe: Homes };
