#!/usr/bin/env node
import { tcprules } from './tables/tcprules.ts';
import { tableMain } from './tables/table-main.ts';

await tableMain('tcprules', tcprules);
