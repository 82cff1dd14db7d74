/** What the stand-in can be told to do wrong: each a thing that real servers and networks do. */
export class Faults {
  /** So many appends are neither written nor answered. */
  dropAppends = 0;
  /** So many are written and not answered. */
  loseAnswers = 0;
  /** So many are answered "not ready", or "too busy". */
  notReady = 0;
  /** So many are answered that their time ran out, though they are written. */
  timeOut = 0;
  /** So many batch streams end, without an error, when the next append comes in. */
  endBatches = 0;
  /** So many calls end as unavailable. */
  unavailable = 0;
  /** The first append of so many new batch streams is overtaken by the next one. */
  overtakeCold = 0;
  /** So many reads and subscriptions are never answered. */
  silentReads = 0;
  /** So many reads end half-way. */
  brokenReads = 0;
  /** Batch streams are not read any more. */
  deaf = false;
  /** Calls are heard and not answered, as by a machine that stands still. */
  hangs = false;
  /** New events are not told to those who follow. */
  mute = false;
  /** A repeated append is answered without its position. */
  forgetPositions = false;
  /** Pages of the whole log take so long, as among millions of events of others. */
  slowPagesMs = 0;
  /** So far is this server's clock ahead of everybody's. */
  clockAheadMs = 0;
  /** So many features calls fail. */
  failFeatures = 0;
}

/** Takes one of so many; whether there was one. */
export function take(
  faults: Faults,
  name: Exclude<
    keyof Faults,
    'forgetPositions' | 'mute' | 'deaf' | 'hangs' | 'slowPagesMs' | 'clockAheadMs'
  >,
): boolean {
  if (faults[name] <= 0) return false;
  faults[name] -= 1;
  return true;
}
