#!/usr/bin/env node
import { setforward } from './tables/setforward.ts';
import { tableMain } from './tables/table-main.ts';

await tableMain('setforward', setforward);
