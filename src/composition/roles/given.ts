/** What a role gets from `start` besides its configuration; with it no role need read a file of the operator's. */
import type { LinkName } from '../links/sockets.ts';
import type { Handed } from './handed.ts';
import type { InheritedListener } from './listeners.ts';

/** Numbers of the groups that may call at a socket; absent: nobody but the queue's own user, and root. */
export type SocketGroups = { readonly [L in LinkName]?: number };

export type Given = {
  readonly handed: Handed;
  /** For doors and the desk. */
  readonly listeners: readonly InheritedListener[];
  /** For the queue. */
  readonly socketGroups: SocketGroups;
  /** Asks `start`, where it is root, to make a folder of this role's again. */
  readonly needFolder?: (name: string) => void;
};
