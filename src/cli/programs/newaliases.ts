#!/usr/bin/env node
import { newaliases } from './tables/newaliases.ts';
import { tableMain } from './tables/table-main.ts';

await tableMain('newaliases', newaliases);
