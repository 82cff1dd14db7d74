/**
 * Given what happened, when something is asked, then this follows: how deciders are tested.
 * `given(...)` takes events and lists of events, so that builders may tell a whole prelude.
 */
import { expect } from '@jest/globals';
import type { QueueCommand } from '../../src/queue/commands.ts';
import { decide } from '../../src/queue/decider.ts';
import type { QueueEvent } from '../../src/queue/events.ts';
import { evolve, initial, type QueueState } from '../../src/queue/state.ts';

export type Decider<State, Command, Event> = {
  readonly initial: () => State;
  readonly evolve: (state: State, event: Event) => State;
  readonly decide: (command: Command, state: State) => readonly Event[];
};

export const queue: Decider<QueueState, QueueCommand, QueueEvent> = { initial, evolve, decide };

export function story<State, Command, Event>(decider: Decider<State, Command, Event>) {
  return (...past: readonly (Event | readonly Event[])[]) => {
    const state = past
      .flat()
      .reduce<State>((before, event) => decider.evolve(before, event as Event), decider.initial());
    return {
      when(command: Command) {
        const events = decider.decide(command, state);
        return {
          then: (...expected: readonly (Event | readonly Event[])[]) =>
            expect(events).toEqual(expected.flat()),
          thenNothing: () => expect(events).toEqual([]),
        };
      },
    };
  };
}
