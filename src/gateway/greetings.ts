/** What clients ask before they read: who is there, and what is understood. */
import { features, gossip, shared } from './messages.ts';
import { toUuid } from './answers.ts';

export type Method = {
  readonly service: string;
  readonly method: string;
  readonly features?: readonly string[];
};

/** Names in lower case, and a version of plain numbers: some clients parse it. */
export function supportedMethods(methods: readonly Method[], version: string) {
  return new features.SupportedMethods().setEventStoreServerVersion(version).setMethodsList(
    methods.map(({ service, method, features: of = [] }) =>
      new features.SupportedMethod()
        .setServiceName(service)
        .setMethodName(method)
        .setFeaturesList([...of]),
    ),
  );
}

export type Member = {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly isLeader: boolean;
};

export function clusterInfo(members: readonly Member[]) {
  const { LEADER, FOLLOWER } = gossip.MemberInfo.VNodeState;
  return new gossip.ClusterInfo().setMembersList(
    members.map(({ id, host, port, isLeader }) =>
      new gossip.MemberInfo()
        .setInstanceId(toUuid(id, 'string'))
        .setTimeStamp(String(BigInt(Date.now()) * 10_000n))
        .setState(isLeader ? LEADER : FOLLOWER)
        .setIsAlive(true)
        .setHttpEndPoint(new gossip.EndPoint().setAddress(host).setPort(port)),
    ),
  );
}

export const nothing = () => new shared.Empty();
