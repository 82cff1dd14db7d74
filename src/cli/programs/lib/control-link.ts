/** A question to the running engine, at its control socket: for root, and for whoever the queue runs as. */
import { dialLink } from '../../../platform/dial-link.ts';
import type { Link } from '../../../platform/link.ts';

const helloMs = 5_000;

/**
 * Changes to the data directory, since a socket's path must be short. Errors: the system's
 * (`ENOENT`, `ECONNREFUSED`: no engine runs there), and troubles of the link.
 */
export async function withControlLink<T>(
  data: string,
  use: (link: Link) => Promise<T>,
): Promise<T> {
  process.chdir(data);
  const link = await dialLink('run/control.sock');
  try {
    await link.request('hello', {}, { timeoutMs: helloMs });
    return await use(link);
  } finally {
    link.close();
  }
}
