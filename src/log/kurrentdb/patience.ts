/** How long the event store is waited for, and by whom: in one place, since these times depend on each other. */

const second = 1_000;
const minute = 60 * second;

/** Without an answer for so long a call is asked again, with another client. */
export const limitMs = {
  /** More than the five seconds that the client gives a node which stands still, when it looks for the leader. */
  append: 7 * second,
  /** A page, a stream; a body's piece. */
  read: 10 * second,
  /** The same where a person looks on. */
  readOfDesk: 5 * second,
  pageOfDesk: minute,
  /** Walks over the whole log: the server says nothing until it finds something among the events of others. */
  sweep: 30 * second,
  walkOfCommand: 2 * minute,
  longestWalk: 10 * minute,
} as const;

/** So long it is asked again and again; then the caller hears `log-unavailable`. */
export const patienceMs = {
  /** Clients at the doors, who then hear 451: an election is over by then, and they still wait. */
  engine: 15 * second,
  desk: 2 * second,
  command: 5 * second,
  check: 3 * second,
  /** Nobody waits for these. */
  sweep: minute,
  move: minute,
} as const;

/** Between two clients of one connection: at first about so long, twice as long each time, up to the longest. */
export const firstPauseMs = 100;
/** After an outage of hours it is over for us, too, so much later. */
export const longestPauseMs = 2_500;
/** A node that has not been ready for so long may be cut off from the others. */
export const longestVainMs = 3 * second;
/** When nothing new was heard for so long, the event store is asked whether there is nothing. */
export const quietMs = 30 * second;
