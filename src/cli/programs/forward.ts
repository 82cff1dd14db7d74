#!/usr/bin/env node
import { forward } from './lib/forward.ts';
import { main } from './lib/main.ts';

await main('forward', forward);
