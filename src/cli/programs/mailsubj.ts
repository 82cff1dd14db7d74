#!/usr/bin/env node
import { mailsubj } from './lib/mailsubj.ts';
import { main } from './lib/main.ts';

await main('mailsubj', mailsubj);
