#!/usr/bin/env node
import { preline } from './delivery/preline.ts';
import { main } from './lib/main.ts';

await main('preline', preline);
