/**
 * qmail's table of addresses that do not answer, for whoever wants to see it or empty it: asked at the
 * control socket, passed on by the queue, answered by `remote`, which alone has it.
 */
import {
  emptyTcpto,
  fromTcptoSnapshot,
  toTcptoSnapshot,
  type TcpTimeouts,
  type TcptoSnapshot,
} from '../../delivery/remote/tcpto.ts';
import { Trouble } from '../../mail/trouble.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Handlers, Link } from '../../platform/link.ts';

const timeoutMs = 10_000;

/** The role's side. */
export const serveTcpto = (table: TcpTimeouts, clock: Pick<Clock, 'steady'>): Handlers => ({
  'tcpto.read': () => ({ value: toTcptoSnapshot(table, clock.steady()) }),
  'tcpto.clear': () => table.clear(),
});

/** The queue's. Errors: `link-down` while the role is away. */
export function passTcptoOn(remote: () => Link | undefined): Handlers {
  const ask = (method: string) => {
    const link = remote();
    if (link !== undefined) return link.request(method, {}, { timeoutMs });
    throw new Trouble('link-down', { tryAgain: true, peer: 'remote is not running' });
  };
  return { 'tcpto.read': () => ask('tcpto.read'), 'tcpto.clear': () => ask('tcpto.clear') };
}

/** The queue's own word, heard before all orders that it gives afterwards. Nothing to forget while the role is away. */
export const forgetTimeouts = (remote: () => Link | undefined) => async (): Promise<void> => {
  await remote()?.request('tcpto.clear', {}, { timeoutMs });
};

/** The asker's. */
export const linkedTcpto = (link: Link, clock: Pick<Clock, 'steady'>) => ({
  async read(): Promise<TcpTimeouts> {
    const { value } = await link.request('tcpto.read', {}, { timeoutMs });
    return Array.isArray(value)
      ? fromTcptoSnapshot(value as TcptoSnapshot, clock.steady())
      : emptyTcpto();
  },
  async clear(): Promise<void> {
    await link.request('tcpto.clear', {}, { timeoutMs });
  },
});
