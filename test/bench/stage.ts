/** What every scenario works with: servers that start and surely stop, the sink, calm before each measurement. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../support/engine.ts';
import type { Sink } from './load.ts';
import { cpuOf, kernelCpu, machineCpu, ownCpu } from './machine.ts';
import type { Group } from './meter.ts';
import type { Options } from './options.ts';
import { postfixServer } from './postfix-server.ts';
import type { Progress } from './progress.ts';
import type { Ports, Server } from './server.ts';
import { waybillServer, type WaybillOptions, type WaybillServer } from './waybill-server.ts';

export type Stage = {
  readonly options: Options;
  /** Those that can take part, in the order of their turns. */
  readonly servers: readonly string[];
  readonly ports: Ports;
  readonly sink: Sink;
  readonly progress: Progress;
  /** A server in a folder of its own, not started yet; stopped at the latest when the bench ends. */
  make(name: string): Promise<Server>;
  makeWaybill(options?: WaybillOptions): Promise<WaybillServer>;
  /** What these processes use is not others' doing; returns how to take that back. */
  include(group: Group): () => void;
  /** Ends a server, and forgets it. */
  done(server: Server): Promise<void>;
  /** Waits, within limits, until the servers rest and nobody else works; says what it waited for. */
  calm(longestMs?: number): Promise<boolean>;
  /** From now on, to tell in the end how many cores others used. */
  others(): () => number;
  /** Ends what still runs, and removes all that was made. */
  close(): Promise<void>;
};

/** A server at rest uses less than so many cores. */
const restingCores = 0.05;

/** Over so long; the kernel counts in hundredths of a second. */
const lookMs = 600;

export async function openStage(
  options: Options,
  servers: readonly string[],
  sink: Sink,
  progress: Progress,
): Promise<Stage> {
  const ports: Ports = { sink: sink.port, dead: await freePort() };
  const living = new Set<Server>();
  const included = new Set<Group>();
  let made = 0;

  // A folder of its own per server, removed at the very end: a file system that has just deleted
  // thousands of files is slow at making new ones.
  const root = mkdtempSync(join(options.folder, 'waybill-bench-'));
  chmodSync(root, 0o755);
  const place = async (name: string) => {
    made += 1;
    const folder = join(root, `${name}-${made}`);
    mkdirSync(folder, { mode: 0o755 });
    return { folder, port: await freePort() };
  };
  const known = <S extends Server>(server: S): S => {
    living.add(server);
    return server;
  };
  const serverCpu = () => [...living].reduce((sum, { group }) => sum + group.read().cpu, 0);
  const includedCpu = () => [...included].reduce((sum, group) => sum + group.read().cpu, 0);
  const othersCpu = () =>
    machineCpu().busy - serverCpu() - includedCpu() - ownCpu() - cpuOf(sink.pid) - kernelCpu();

  const stage: Stage = {
    ...{ options, servers, ports, sink, progress },
    async make(name) {
      const { folder, port } = await place(name);
      return known(
        name === 'postfix'
          ? postfixServer(folder, port, ports)
          : waybillServer(folder, port, ports),
      );
    },
    async makeWaybill(more) {
      const { folder, port } = await place('waybill');
      return known(waybillServer(folder, port, ports, more));
    },
    include(group) {
      included.add(group);
      return () => void included.delete(group);
    },
    async done(server) {
      await server.stop();
      living.delete(server);
      server.group.close();
    },
    async calm(longestMs = 15_000) {
      for (const until = performance.now() + longestMs; performance.now() < until;) {
        const before = { at: performance.now(), ours: serverCpu(), others: othersCpu() };
        await sleep(lookMs);
        const seconds = (performance.now() - before.at) / 1000;
        const ours = (serverCpu() - before.ours) / seconds;
        const others = (othersCpu() - before.others) / seconds;
        if (ours < restingCores && (options.quiet === 0 || others < options.quiet)) return true;
      }
      return false;
    },
    others() {
      const before = { at: performance.now(), used: othersCpu() };
      return () =>
        Math.max(0, (othersCpu() - before.used) / ((performance.now() - before.at) / 1000));
    },
    async close() {
      for (const server of living) {
        await server.kill().catch((cause: unknown) => progress.say(String(cause)));
        server.group.close();
      }
      rmSync(root, { recursive: true, force: true });
    },
  };
  return stage;
}
