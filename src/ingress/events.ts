/** What a door turned away, rate-limited. Stream: `door-<name>-<day>`. */
import type { EventOf } from '../log/ports.ts';

export type DoorEvent =
  | EventOf<
      'Refused',
      1,
      {
        readonly peer: string;
        readonly helo?: string;
        readonly returnPath?: string;
        readonly recipient?: string;
        readonly reply: string;
      }
    >
  /** So many more were refused than the rate limit lets through. */
  | EventOf<'RefusalsSuppressed', 1, { readonly count: number }>;
