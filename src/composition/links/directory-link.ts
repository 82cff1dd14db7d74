/** Who lives here: asked by a door, passed on by the queue, answered by `local`, which alone sees users' files. */
import type { Directory } from '../../ingress/ports.ts';
import { Trouble } from '../../mail/trouble.ts';
import type { Handlers, Link } from '../../platform/link.ts';

/** A client waits at RCPT meanwhile. */
const timeoutMs = 10_000;

export const linkedDirectory = (link: () => Link | undefined): Directory => ({
  async receives(address) {
    const to = link();
    if (to === undefined) {
      throw new Trouble('link-down', {
        tryAgain: true,
        peer: 'cannot check recipients now (#4.3.0)',
      });
    }
    const { value } = await to.request('receives', { address }, { timeoutMs });
    return value === true;
  },
});

export const serveDirectory = (directory: Directory): Handlers => ({
  receives: async (args) => ({
    value: await directory.receives((args as { address: string }).address),
  }),
});
