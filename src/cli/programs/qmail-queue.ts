#!/usr/bin/env node
import { readDescriptor } from './lib/descriptors.ts';
import { main } from './lib/main.ts';
import { queue, readError } from './lib/queue.ts';
import { wasClosed } from './lib/was-closed.ts';

await main('qmail-queue', async ({ env, input }) =>
  wasClosed(0) ? readError : queue(env, input(), readDescriptor(1)),
);
