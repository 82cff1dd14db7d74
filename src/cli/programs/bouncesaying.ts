#!/usr/bin/env node
import { bouncesaying } from './delivery/bouncesaying.ts';
import { main } from './lib/main.ts';

await main('bouncesaying', bouncesaying({ stdin: 0 }));
