/**
 * Troubles: what goes wrong around a letter through nobody's fault. Each carries a stable `code`,
 * whether trying again makes sense, a text fit for the wire, and a detail for ourselves only.
 */

export type TroubleCode =
  | 'revision-conflict'
  | 'log-unavailable'
  | 'log-full'
  | 'log-broken'
  | 'log-in-use'
  | 'log-damaged'
  | 'spool-full'
  | 'body-missing'
  | 'body-damaged'
  | 'too-large'
  | 'busy'
  | 'fenced'
  | 'link-down'
  | 'link-timeout'
  | 'control-mistake'
  | 'refused'
  | 'not-found';

export class Trouble extends Error {
  readonly code: TroubleCode;
  /** Whether the same request may work later. */
  readonly tryAgain: boolean;
  /** What the far side may hear: one line, no secrets, no stranger's bytes. */
  readonly peer: string;

  constructor(
    code: TroubleCode,
    parts: { tryAgain: boolean; peer: string; detail?: string; cause?: unknown },
  ) {
    super(
      parts.detail ?? parts.peer,
      parts.cause === undefined ? undefined : { cause: parts.cause },
    );
    this.name = 'Trouble';
    this.code = code;
    this.tryAgain = parts.tryAgain;
    this.peer = parts.peer;
  }
}

/** Someone else has appended to the stream; whoever decided must load it again and decide anew. */
export class RevisionConflict extends Trouble {
  readonly stream: string;
  readonly expected: number;
  readonly actual: number;

  constructor(stream: string, expected: number, actual: number) {
    super('revision-conflict', {
      tryAgain: true,
      peer: 'temporary conflict (#4.3.0)',
      detail: `${stream}: expected revision ${expected}, found ${actual}`,
    });
    this.name = 'RevisionConflict';
    this.stream = stream;
    this.expected = expected;
    this.actual = actual;
  }
}

/** A setting that cannot be obeyed. Refuse to start, or keep the old settings on reload. */
export class ControlMistake extends Trouble {
  readonly file: string;
  /** From 1; absent where the whole file is meant. */
  readonly line: number | undefined;

  constructor(file: string, line: number | undefined, message: string) {
    super('control-mistake', {
      tryAgain: false,
      peer: 'unable to read controls (#4.3.0)',
      detail: `${file}${line === undefined ? '' : `:${line}`}: ${message}`,
    });
    this.name = 'ControlMistake';
    this.file = file;
    this.line = line;
  }
}

export const isTrouble = (cause: unknown, code?: TroubleCode): cause is Trouble =>
  cause instanceof Trouble && (code === undefined || cause.code === code);
