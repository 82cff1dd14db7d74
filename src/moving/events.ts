/** What a move itself adds to a log, and only where it was told to leave damage behind. */
import type { EventOf } from '../log/ports.ts';

/** In place of an event that was lost to damage, so that those after it keep their revisions. Of no letter. */
export type MovingEvent = EventOf<'EventLost', 1, Readonly<Record<string, never>>>;
