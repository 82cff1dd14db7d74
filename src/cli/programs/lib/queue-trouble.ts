/** Troubles on the way to the queue, as exit codes of qmail-queue. */
import { isTrouble, type TroubleCode } from '../../../mail/trouble.ts';

export class QueueTrouble extends Error {
  readonly exit: number;

  constructor(exit: number, detail: string) {
    super(detail);
    this.exit = exit;
  }
}

const exits: { readonly [Code in TroubleCode]?: number } = {
  'spool-full': 53,
  'log-full': 53,
  'control-mistake': 55,
  'link-timeout': 72,
  'link-down': 74,
};

/** 71 try later, 31 never; 53, 72 and 74 say more; 81 for what we do not understand. */
export function exitOf(cause: unknown): number {
  if (cause instanceof QueueTrouble) return cause.exit;
  if (!isTrouble(cause)) return 81;
  return exits[cause.code] ?? (cause.tryAgain ? 71 : 31);
}
