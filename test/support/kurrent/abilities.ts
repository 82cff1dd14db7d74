/** What a server of some release understands, and how much it takes. */
import type { Method } from '../../../src/gateway/greetings.ts';
import { recordsMethod, sessionMethod } from './append-records.ts';

export type Abilities = {
  /** Of one append, all its events. */
  readonly maxAppendBytes: number;
  /** `AppendSession`. */
  readonly sessions: boolean;
  /** `AppendRecords`. */
  readonly records: boolean;
  readonly methods: readonly Method[];
};

const service = 'event_store.client.streams.streams';

/** `takesBatches`: whether appends may share one call. */
export function abilitiesOf(version: string, takesBatches: boolean): Abilities {
  const [year = 26, month = 1] = version.split('.').map(Number);
  const isSince = (thatYear: number, thatMonth: number): boolean =>
    year > thatYear || (year === thatYear && month >= thatMonth);
  const [sessions, records] = [isSince(25, 1), isSince(26, 1)];
  return {
    ...{ sessions, records, maxAppendBytes: (sessions ? 256 : 1) * 1024 * 1024 },
    methods: [
      { service, method: 'read', features: ['position', 'events'] },
      ...(takesBatches
        ? [{ service, method: 'batchappend', features: ['deadline_duration'] }]
        : []),
      { service, method: 'append' },
      { service, method: 'delete' },
      ...(sessions ? [sessionMethod] : []),
      ...(records ? [recordsMethod] : []),
    ],
  };
}
