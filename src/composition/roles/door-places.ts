/** How many connections one door process takes: its share of what the operator allows, and no more than it can open. */

export type DoorPlaces = {
  /** For each kind of listener: clients on one port cannot keep out those on another. */
  readonly most: number;
  /** From one address, strangers only; 0 for any number. */
  readonly mostPerAddress: number;
  /** What the operator must hear: not all of it can be had. */
  readonly shortage?: string;
};

/** What a door has open besides: its link, its listeners, node's own, and sockets about to be closed. */
const reserve = 128;

export function doorPlaces(wanted: {
  readonly connections: number;
  readonly perAddress: number;
  readonly processes: number;
  readonly kinds: number;
  /** `ulimit -n`; unknown: whatever is wanted. */
  readonly openFiles: number | undefined;
}): DoorPlaces {
  const { connections, perAddress, processes, kinds, openFiles = Infinity } = wanted;
  const share = Math.max(1, Math.floor(connections / processes));
  const possible = Math.max(1, Math.floor((openFiles - reserve) / kinds));
  const mostPerAddress = Math.ceil(perAddress / processes);
  if (share <= possible) return { most: share, mostPerAddress };
  const needed = share * kinds + reserve;
  const shortage =
    `${connections} connections need ${needed} open files in each door, and ulimit -n is ${openFiles}: ` +
    `no more than ${possible * processes} are taken`;
  return { most: possible, mostPerAddress, shortage };
}
