/** Whether an engine runs on a data directory: whether somebody answers at its control socket. */
import { connect } from 'node:net';
import { relative, resolve } from 'node:path';
import { errnoOf } from '../platform/errno.ts';

/** `undefined` when nobody can tell, for lack of permission for instance. */
export function engineRuns(directory: string): Promise<boolean | undefined> {
  const absolute = resolve(directory, 'run/control.sock');
  const near = relative(process.cwd(), absolute);
  return new Promise((done) => {
    // A socket's path may have 107 bytes: the shorter of the two spellings.
    const socket = connect(near.length < absolute.length ? near : absolute);
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', (cause) => {
      const code = errnoOf(cause) ?? '';
      done(['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(code) ? false : undefined);
    });
  });
}
