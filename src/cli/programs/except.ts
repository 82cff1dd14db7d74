#!/usr/bin/env node
import { except } from './delivery/except.ts';
import { main } from './lib/main.ts';

await main('except', except({ stdin: 0 }));
