/** Every command there is, in the order of the help text. */
import type { Command } from 'commander';
import { describeCheck } from './check-options.ts';
import { describeHand } from './hand-options.ts';
import {
  describeLog,
  describeQueue,
  describeSearch,
  describeTrace,
  describeVerify,
  describeWhy,
} from './reading-options.ts';
import { describeServe } from './serve-options.ts';

export const commands: readonly ((program: Command) => void)[] = [
  describeServe,
  describeCheck,
  describeQueue,
  describeTrace,
  describeWhy,
  describeSearch,
  describeLog,
  describeHand,
  describeVerify,
];
