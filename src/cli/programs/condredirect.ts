#!/usr/bin/env node
import { condredirect } from './delivery/condredirect.ts';
import { main } from './lib/main.ts';

await main('condredirect', condredirect({ stdin: 0 }));
