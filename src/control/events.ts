/** What happens to a node: starts, stops, settings. Stream: `node-<name>-<start>`, a new one per start. */
import type { EventOf } from '../log/ports.ts';

export type NodeEvent =
  | EventOf<
      'NodeStarted',
      1,
      {
        readonly node: string;
        readonly version: string;
        readonly pid: number;
        readonly host: string;
      }
    >
  /** Every version of the control files that was loaded, so that a replay knows the rules of the day. */
  | EventOf<
      'ControlsLoaded',
      1,
      { readonly digest: string; readonly files: { readonly [name: string]: string } }
    >
  /** Everything that waits is due now (SIGALRM, `waybill retry --all`). */
  | EventOf<'RetryAllRequested', 1, { readonly by: string; readonly why: string }>
  | EventOf<'RoleLost', 1, { readonly role: string; readonly pid: number; readonly how: string }>
  /** The log could not be written from `at` on; told when it could again, or never (`log-broken`). */
  | EventOf<'LogTroubled', 1, { readonly code: string; readonly what: string }>
  | EventOf<'LogRecovered', 1, { readonly troubledAt: number }>
  /** A sync had failed; before anything was written again the log was looked over and held. */
  | EventOf<
      'LogVerified',
      1,
      {
        readonly suspectedAt: string;
        readonly what: string;
        readonly head: number;
        readonly events: number;
      }
    >
  | EventOf<'NodeStopped', 1, { readonly why: string; readonly open: number }>;
