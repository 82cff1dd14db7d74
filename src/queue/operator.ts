/** An operator's hand on the queue, recorded with who and why. */
import type { Address, MessageId, RecipientNo } from '../mail/envelope.ts';
import { Trouble } from '../mail/trouble.ts';
import type { Clock } from '../platform/clock.ts';
import type { HandCommand } from './commands.ts';
import type { Letters } from './letters.ts';

export type OperatorRequest = {
  readonly act: 'retry' | 'hold' | 'release' | 'cancel' | 'redirect';
  readonly message: MessageId;
  /** Absent: all that still wait. */
  readonly rcpts?: readonly RecipientNo[];
  /** For `redirect`: the new address. */
  readonly to?: Address;
  readonly by: string;
  readonly why: string;
};

export interface Operator {
  /** How many events followed: 0 when there was nothing left to do. Throws `not-found`. */
  act(request: OperatorRequest): Promise<number>;
}

export function openOperator(letters: Letters, clock: Clock): Operator {
  return {
    async act(request) {
      await letters.state(request.message);
      return (await letters.handle(request.message, toCommand(request, clock.now()))).length;
    },
  };
}

function toCommand({ act, rcpts, to, by, why }: OperatorRequest, at: number): HandCommand {
  const hand = { by, why, at, ...(rcpts === undefined ? {} : { rcpts }) };
  switch (act) {
    case 'retry':
      return { type: 'Retry', ...hand };
    case 'hold':
      return { type: 'Hold', by, why, at };
    case 'release':
      return { type: 'Release', by, why, at };
    case 'cancel':
      return { type: 'Cancel', ...hand };
    case 'redirect': {
      const rcpt = rcpts?.[0];
      if (rcpt !== undefined && to !== undefined)
        return { type: 'Redirect', rcpt, to, by, why, at };
      throw new Trouble('refused', {
        tryAgain: false,
        peer: 'redirect needs one recipient and an address',
      });
    }
  }
}
