/**
 * Appends over a few connections, so many on each and no more. The client writes all appends of a connection
 * into one stream; when that takes no more (sixteen messages wait) and then breaks, the client rejects
 * promises that nobody holds, and such a rejection ends the process. With fewer under way it never waits.
 */
import type { Call, Caller, Connection } from './connection.ts';

/** One less than the client's stream takes before it makes its writers wait. */
const mostPerConnection = 15;

type Lane = { readonly connection: Connection; active: number };

export class AppendLanes implements Caller {
  readonly #lanes: readonly Lane[];
  readonly #waiting: (() => void)[] = [];

  constructor(connections: readonly Connection[]) {
    this.#lanes = connections.map((connection) => ({ connection, active: 0 }));
  }

  async call<T>(what: string, limitMs: number, work: Call<T>): Promise<T> {
    const lane = await this.#lane();
    try {
      return await lane.connection.call(what, limitMs, work);
    } finally {
      lane.active -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** The first that has room: with little to do one connection does it all. */
  async #lane(): Promise<Lane> {
    for (;;) {
      const lane = this.#lanes.find(({ active }) => active < mostPerConnection);
      if (lane !== undefined) {
        lane.active += 1;
        return lane;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
