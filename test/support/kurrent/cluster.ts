/**
 * Three stand-ins over one store, which tell and answer what the nodes of a real cluster do: one leads, two pass
 * appends on; while they elect, nobody takes any. Each has an address and, with TLS, a certificate of its own.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from './gossip.ts';
import { StandIn, type StandInOptions } from './stand-in.ts';
import { Store } from './store.ts';

export type ClusterOptions = Pick<StandInOptions, 'login' | 'version' | 'settled'> & {
  readonly store?: Store;
  /** Loopback addresses; default: three. */
  readonly hosts?: readonly string[];
  /** The first node's port, if the others' are the next; default: any. */
  readonly port?: number;
  /** Where `makeCertificates` has put them. */
  readonly certificates?: string;
};

const threeHosts = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];

export class Cluster {
  readonly nodes: readonly StandIn[];
  readonly #hosts: readonly string[];
  readonly #isUp: boolean[];
  readonly #certificates: string | undefined;
  /** Whose turn it is; nobody's: an election. */
  #leader: number | undefined = 0;

  constructor({ hosts = threeHosts, port = 0, certificates, ...options }: ClusterOptions = {}) {
    const { store = new Store() } = options;
    this.#hosts = hosts;
    this.#certificates = certificates;
    this.#isUp = hosts.map(() => true);
    this.nodes = hosts.map((host, n) => {
      const read = (kind: string) => readFileSync(join(certificates!, `db${n + 1}.${kind}`));
      const tls = certificates && { certificate: read('pem'), key: read('key') };
      const own = { host, port: port === 0 ? 0 : port + n, ...(tls ? { tls } : {}) };
      return new StandIn({ ...options, ...own, store });
    });
  }

  async start(): Promise<this> {
    for (const node of this.nodes) {
      await node.start();
      node.peers = () => this.#peers();
    }
    this.lead(0);
    return this;
  }

  /** `kurrentdb://` with all nodes; `more` after a `&`. */
  url(more = ''): string {
    const seeds = this.nodes.map(({ port }, n) => `${this.#hosts[n]}:${port}`).join(',');
    return `kurrentdb://${seeds}?tls=${this.#certificates !== undefined}${more}`;
  }

  get leader(): StandIn | undefined {
    return this.#leader === undefined ? undefined : this.nodes[this.#leader];
  }

  /** That node leads from now on, and all know. */
  lead(n: number): void {
    this.#leader = n;
    this.#tell();
  }

  /** Nobody leads from now on. */
  elect(): void {
    this.#leader = undefined;
    this.#tell();
  }

  /** The node's process dies; the others hold an election if it led. */
  async kill(n: number): Promise<void> {
    this.#isUp[n] = false;
    if (this.#leader === n) this.elect();
    await this.nodes[n]!.stop();
  }

  async revive(n: number): Promise<void> {
    this.#isUp[n] = true;
    this.#tell();
    await this.nodes[n]!.start();
  }

  /** Its machine stands still: connections stay, and nothing is answered. It says so to nobody. */
  hang(n: number, hangs = true): void {
    const { faults } = this.nodes[n]!;
    [faults.hangs, faults.deaf, faults.mute] = [hangs, hangs, hangs];
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  #tell(): void {
    const leader = this.#leader;
    this.nodes.forEach((node, n) => {
      node.elects = leader === undefined;
      node.leader =
        leader === undefined || leader === n
          ? undefined
          : { host: this.#hosts[leader]!, port: this.nodes[leader]!.port };
    });
  }

  #peers(): readonly Peer[] {
    const leader = this.#leader;
    return this.nodes.map(({ port }, n) => ({
      ...{ host: this.#hosts[n]!, port, isAlive: this.#isUp[n]! },
      state: leader === undefined ? 'elects' : leader === n ? 'leader' : 'follower',
    }));
  }
}
