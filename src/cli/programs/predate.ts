#!/usr/bin/env node
import { predate } from './lib/predate.ts';
import { main } from './lib/main.ts';

await main('predate', predate);
