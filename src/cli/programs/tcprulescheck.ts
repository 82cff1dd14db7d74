#!/usr/bin/env node
import { tcprulescheck } from './tables/tcprulescheck.ts';
import { tableMain } from './tables/table-main.ts';

await tableMain('tcprulescheck', tcprulescheck);
