/** Two nodes on one log, for tests of what befalls one of them. */
import { expect } from '@jest/globals';
import type { MessageId } from '../../src/mail/envelope.ts';
import { Cluster, type ClusterOptions, type Member } from './cluster.ts';
import { everything, typesOf } from './post-office.ts';
import { seeded } from './seeded.ts';

/** Of the test that runs; `open` makes it. */
export let cluster: Cluster;

type Options = Omit<ClusterOptions, 'chance'>;

/** Without any node. */
export function begin(options: Options = {}): void {
  cluster = new Cluster({ chance: seeded(1), ...options });
}

export async function open(options: Options = {}): Promise<[Member, Member]> {
  begin(options);
  const members: [Member, Member] = [await cluster.start('one'), await cluster.start('two')];
  await cluster.pass(10_000);
  return members;
}

/** For `afterEach`. */
export function close(): void {
  cluster.end();
  expect(cluster.wrong).toEqual([]);
}

export const far = ['a@far.test'];
export const taken = (id: MessageId | undefined) => cluster.taken.get(`${id}/0`) ?? 0;
export const makersOf = (id: MessageId | undefined) =>
  cluster.sent.filter(({ message }) => message === id).map(({ by }) => by);
export const story = (id: MessageId | undefined) => typesOf(cluster.inner, id!);
export const takes = async () =>
  (await everything(cluster.inner)).filter(({ type }) => type === 'LeaseTaken');

/** A lease’s time, a jitter of two beats, and the beat that notices. */
export const takeoverMs = 50_000;

export const clean = ['MessageAccepted', 'MessageQueued', 'AttemptStarted', 'RecipientDelivered'];
export const adopted = ['MessageAccepted', 'MessageQueued', 'MessageAdopted', 'AttemptStarted'];
export const inDoubt = [...clean.slice(0, 3), 'MessageAdopted', 'RecipientDeferred'];
