/**
 * A role that somebody broke into can write what it likes into node's channel to `start`, and node throws from
 * where it reads that, out of anybody's reach. That must not end the one process that keeps all others alive.
 */

/** What is thrown elsewhere ends the process as ever. `onTrouble` may be told often. */
export function outliveChannels(onTrouble: (cause: unknown) => void): void {
  process.on('uncaughtException', (cause: unknown) => {
    if (isOfChannel(cause)) return onTrouble(cause);
    console.error(cause);
    process.exit(1);
  });
}

/** Thrown while node reads a channel, and by none of our code. */
function isOfChannel(cause: unknown): boolean {
  const frames = cause instanceof Error ? (cause.stack ?? '').match(/^ {4}at .*$/gm) : null;
  return (
    frames?.some((frame) => /\bnode:internal\/child_process/.test(frame)) === true &&
    frames.every((frame) => /\bnode:|\(native\)|<anonymous>/.test(frame))
  );
}
