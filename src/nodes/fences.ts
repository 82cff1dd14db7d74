/**
 * What a cut-off node may not even write. The taker of a lease raises its fence in the same append; whoever owns
 * the lease lets every letter that it accepts and every attempt that it starts depend on the fence's absence.
 */
import type { EventLog, NewEvent, SharedLog } from '../log/ports.ts';
import { fenceStream, type Incarnation } from './events.ts';

/** What begins something with a letter. What happened anybody may report. */
const begins = ({ type }: NewEvent): boolean =>
  type === 'MessageAccepted' || type === 'AttemptStarted';

/** The letters' log: as it is, but nothing begins once our fence stands (`fenced`). */
export function behindFence(
  log: SharedLog,
  self: Incarnation,
): Pick<EventLog, 'append' | 'readStream'> {
  const fence = fenceStream(self);
  return {
    readStream: (stream, options) => log.readStream(stream, options),
    async append(stream, expected, events, body) {
      if (!events.some(begins)) return log.append(stream, expected, events, body);
      return log.appendTogether([{ stream, expected, events }], fence, body);
    },
  };
}
