/** What a page calls a node. */
import type { Incarnation } from '../../nodes/events.ts';
import type { Nodes } from '../ports.ts';

/** Its name, or what stands for it while nobody knows the name. */
export const nodeNameOf = (
  nodes: Nodes,
  incarnation: Incarnation | undefined,
): string | undefined =>
  incarnation === undefined || incarnation === ''
    ? undefined
    : nodes.nameOf(incarnation) || `…${incarnation.slice(-8)}`;
