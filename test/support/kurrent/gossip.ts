/** What the nodes of a stand-in cluster tell clients of each other. */
import { randomUUID } from 'node:crypto';
import { clusterInfo } from '../../../src/gateway/greetings.ts';
import { gossip } from '../../../src/gateway/messages.ts';

/** `elects`: neither leader nor follower, for nobody leads. */
export type Peer = {
  readonly host: string;
  readonly port: number;
  readonly state: 'leader' | 'follower' | 'elects';
  readonly isAlive: boolean;
};

const { LEADER, FOLLOWER, UNKNOWN } = gossip.MemberInfo.VNodeState;
const states = { leader: LEADER, follower: FOLLOWER, elects: UNKNOWN };

/** A node that knows of itself and of whoever leads, if that is another one. */
export function selfAnd(
  self: { readonly host: string; readonly port: number },
  leader: { readonly host: string; readonly port: number } | undefined,
): readonly Peer[] {
  if (leader === undefined) return [{ ...self, isAlive: true, state: 'leader' }];
  return [
    { ...self, isAlive: true, state: 'follower' },
    { ...leader, isAlive: true, state: 'leader' },
  ];
}

export function gossipOf(peers: readonly Peer[]) {
  const named = peers.map((peer) => ({ ...peer, id: randomUUID(), isLeader: false }));
  const told = clusterInfo(named);
  peers.forEach(({ state, isAlive }, index) => {
    told.getMembersList()[index]!.setState(states[state]).setIsAlive(isAlive);
  });
  return told;
}
