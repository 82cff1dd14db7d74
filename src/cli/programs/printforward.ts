#!/usr/bin/env node
import { printforward } from './tables/printforward.ts';
import { tableMain } from './tables/table-main.ts';

await tableMain('printforward', printforward);
