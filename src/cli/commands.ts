/** Every command there is, in the order of the help text. */
import type { Command } from 'commander';
import { describeServe } from './serve-options.ts';

export const commands: readonly ((program: Command) => void)[] = [describeServe];
