#!/usr/bin/env node
import { newinclude } from './tables/newinclude.ts';
import { tableMain } from './tables/table-main.ts';

await tableMain('newinclude', newinclude);
