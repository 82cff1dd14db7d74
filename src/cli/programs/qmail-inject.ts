#!/usr/bin/env node
import { inject } from './lib/inject.ts';
import { main } from './lib/main.ts';

await main('qmail-inject', inject);
