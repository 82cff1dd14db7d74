/** A link to whoever listens at a socket of the file system. */
import { connect } from 'node:net';
import { openLink, type Handlers, type Link } from './link.ts';

/** Connected is not yet accepted: the caller says hello. Rejects with the system's error (`ENOENT`, `ECONNREFUSED`: nobody serves it). */
export function dialLink(path: string, handlers: Handlers = {}): Promise<Link> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(openLink(socket, handlers));
    });
  });
}
