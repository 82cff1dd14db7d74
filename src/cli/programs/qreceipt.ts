#!/usr/bin/env node
import { qreceipt } from './lib/qreceipt.ts';
import { main } from './lib/main.ts';

await main('qreceipt', qreceipt);
