/**
 * Programs of others, run to their end: what a dot-qmail line or a look-up starts.
 * A program leads a process group of its own, so that all it started can be stopped with it.
 */

export type Command = {
  readonly file: string;
  readonly args: readonly string[];
  /** Absolute path. */
  readonly cwd: string;
  /** All of its environment; nothing is inherited besides. */
  readonly env: Readonly<Record<string, string>>;
  /** An open file; stays the caller's. Default: /dev/null. */
  readonly stdin?: number;
  /** After this its process group is told to end (TERM), and soon after made to (KILL). */
  readonly timeoutMs: number;
  /** How much of stdout is kept; the rest is read and dropped. stderr goes to /dev/null. */
  readonly maxOutputBytes: number;
  /** Only for an engine that runs as root: whom the program runs as, without other groups. */
  readonly uid?: number;
  readonly gid?: number;
};

export type Ended = (
  | { readonly how: 'exit'; readonly code: number }
  | { readonly how: 'signal'; readonly signal: string }
  /** Out of time, or called off. */
  | { readonly how: 'stopped' }
) & { readonly output: Uint8Array };

export interface Processes {
  /**
   * Resolves when the program has ended. Background processes it leaves behind live on, unheard (and no
   * longer than the program itself might have, where somebody sees to that: `left-behind.ts`).
   * Rejects with the system's error when it cannot be started. `callOff` stops it early.
   */
  run(command: Command, callOff?: AbortSignal): Promise<Ended>;
}
