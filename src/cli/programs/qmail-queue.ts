#!/usr/bin/env node
import { readDescriptor } from './lib/descriptors.ts';
import { main } from './lib/main.ts';
import { queue } from './lib/queue.ts';

await main('qmail-queue', ({ env, input }) => queue(env, input(), readDescriptor(1)));
