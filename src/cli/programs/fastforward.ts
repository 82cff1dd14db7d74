#!/usr/bin/env node
import { fastforward } from './tables/fastforward.ts';
import { tableMain } from './tables/table-main.ts';

await tableMain('fastforward', fastforward);
