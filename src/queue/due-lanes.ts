/**
 * The rows whose time has come, in a lane per destination, and the slots that each lane and channel has. Says
 * whose turn it is; how lanes share is told in `scheduler.ts`.
 */
import type { Row } from '../../projections/agenda-rows.ts';
import type { AgendaTable } from '../../projections/agenda-table.ts';
import { LaneLists } from './lane-lists.ts';
import { LaneShares } from './lane-shares.ts';
import type { ChannelName } from './ports.ts';

/** Due recipients of one letter in one lane, and a slot for them. */
export type Taken = {
  readonly rows: readonly Row[];
  readonly channel: ChannelName;
  readonly lane: string;
  /** Whether the lane was in trouble then. */
  readonly troubled: boolean;
};

type ChannelState = {
  /** Jobs not given back yet. */
  active: number;
  /** Those of them that hold a slot. */
  busy: number;
  troubled: number;
  /** Sound and troubled lanes take turns, as long as both may have a slot. */
  troubledNext: boolean;
  readonly lists: LaneLists;
};

const idle = (): ChannelState => ({
  ...{ active: 0, busy: 0, troubled: 0, troubledNext: false, lists: new LaneLists() },
});

export class DueLanes {
  readonly #table: AgendaTable;
  readonly #maxRecipients: number;
  readonly #channels: Record<ChannelName, ChannelState> = { local: idle(), remote: idle() };
  readonly #shares = new LaneShares();

  constructor(table: AgendaTable, maxRecipients: number) {
    this.#table = table;
    this.#maxRecipients = maxRecipients;
  }

  /** Jobs handed out and not yet given back. */
  active(name: ChannelName): number {
    return this.#channels[name].active;
  }

  enter(row: Row): void {
    const { lane: lanes, tried } = this.#table;
    const lane = lanes[row]!;
    const troubled = this.#shares.isTroubled(this.#table.laneName(lane));
    this.#listsOf(lane).add(row, lane, tried[row] === 1, troubled);
  }

  leave(row: Row): void {
    const { lane: lanes, tried } = this.#table;
    const lane = lanes[row]!;
    this.#listsOf(lane).remove(row, lane, tried[row] === 1);
  }

  /** The rows whose turn it is, if a slot is free for them; they leave their lane. */
  take(name: ChannelName, slots: number): Taken | undefined {
    const channel = this.#channels[name];
    const free = slots - channel.busy;
    // Verdicts that wait for the log are bounded, too.
    if (free <= 0 || channel.active >= 2 * slots) return undefined;
    const turn = channel.troubledNext;
    channel.troubledNext = !turn;
    const first = this.#pick(channel, turn, free, slots) ?? this.#pick(channel, !turn, free, slots);
    if (first === undefined) return undefined;
    const lane = this.#table.laneName(this.#table.lane[first]!);
    const troubled = this.#shares.isTroubled(lane);
    const rows = this.#companions(channel, first);
    for (const row of rows) if (row !== first) this.leave(row);
    channel.active += 1;
    channel.busy += 1;
    if (troubled) channel.troubled += 1;
    this.#shares.take(lane);
    return { rows, channel: name, lane, troubled };
  }

  /** The slot, held for so long, is free. `trouble`: whether nobody could be reached; absent when nobody tried. */
  free(taken: Omit<Taken, 'rows'>, heldMs: number, trouble?: boolean): void {
    const channel = this.#channels[taken.channel];
    channel.busy -= 1;
    if (taken.troubled) channel.troubled -= 1;
    this.#shares.giveBack(taken.lane, heldMs);
    if (trouble === undefined || !this.#shares.note(taken.lane, trouble)) return;
    const no = this.#table.laneNo(taken.lane);
    if (no !== undefined) channel.lists.mark(no, trouble);
  }

  /** One job less. */
  done(name: ChannelName): void {
    this.#channels[name].active -= 1;
  }

  #pick(channel: ChannelState, troubled: boolean, free: number, slots: number): Row | undefined {
    const nameOf = (lane: number) => this.#table.laneName(lane);
    if (!troubled) {
      return channel.lists.take('sound', (lane) => this.#shares.mayHaveOneMore(nameOf(lane), free));
    }
    if (channel.troubled >= Math.max(1, Math.floor(slots / 4))) return undefined;
    return channel.lists.take('troubled', (lane) => this.#shares.of(nameOf(lane)) === 0);
  }

  /** The due recipients of the same letter in the same lane: they share one transaction. */
  #companions({ lists }: ChannelState, first: Row): Row[] {
    const { lane, letter, rcpt, tried } = this.#table;
    const rows = [first];
    if (this.#table.isAlone(first)) return rows;
    // Rows of one letter stand together in their lane. Not the whole of a long lane is asked: whoever
    // is further away gets a job of their own.
    let strangers = 10 * this.#maxRecipients;
    for (const row of lists.rowsOf(lane[first]!, tried[first] === 1)) {
      if (rows.length >= this.#maxRecipients || strangers === 0) break;
      if (letter[row] === letter[first]) rows.push(row);
      else strangers -= 1;
    }
    return rows.sort((a, b) => rcpt[a]! - rcpt[b]!);
  }

  #listsOf(lane: number): LaneLists {
    const name = this.#table.laneName(lane);
    return this.#channels[name.startsWith('local ') ? 'local' : 'remote'].lists;
  }
}
