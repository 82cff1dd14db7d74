/** Every command there is, in the order of the help text. */
import type { Command } from 'commander';
import { describeAsk } from './ask-options.ts';
import { describeCheck } from './check-options.ts';
import { describeDesk } from './desk-options.ts';
import { describeHand } from './hand-options.ts';
import {
  describeConsumers,
  describeLog,
  describeQueue,
  describeSearch,
  describeTrace,
  describeVerify,
  describeWhy,
} from './reading-options.ts';
import { describeNodes } from './nodes-options.ts';
import { describeServe } from './serve-options.ts';
import { describeViews } from './views-options.ts';
import { describeWhatIf } from './what-if-options.ts';

export const commands: readonly ((program: Command) => void)[] = [
  describeServe,
  describeCheck,
  describeQueue,
  describeTrace,
  describeWhy,
  describeWhatIf,
  describeSearch,
  describeViews,
  describeAsk,
  describeLog,
  describeConsumers,
  describeNodes,
  describeHand,
  describeDesk,
  describeVerify,
];
