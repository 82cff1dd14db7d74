/** One engine, one log: all is ours, always. */
import { EMPTY, NEVER } from 'rxjs';
import type { Nodes } from './ports.ts';

export const alone: Nodes = {
  self: undefined,
  isMine: undefined,
  ledger: undefined,
  mayStart: () => true,
  part: (limit) => limit,
  isOver: () => true,
  moved$: EMPTY,
  adopted$: EMPTY,
  changed$: EMPTY,
  lost$: NEVER,
  follow$: NEVER,
  open: async () => undefined,
  drain: async () => undefined,
  close: async () => undefined,
};
