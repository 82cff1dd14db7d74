/** One engine has the log to itself: a single line. */
import type { Nodes, OwnHistory, Queue } from './ports.ts';

export const aloneNodes = ({
  node,
  queue,
  history,
}: {
  readonly node: string;
  readonly queue: Pick<Queue, 'queueAt'>;
  readonly history: OwnHistory;
}): Nodes => ({
  async rows() {
    const [{ counts }, { starts }] = await Promise.all([queue.queueAt({ limit: 0 }), history()]);
    const { letters } = counts;
    const openedAt = starts?.at(-1)?.at;
    return { nodes: [{ node, status: 'alone', letters, openedAt }], ofNobody: 0 };
  },
  ownerOf: () => undefined,
  nameOf: () => undefined,
});
