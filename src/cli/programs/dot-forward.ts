#!/usr/bin/env node
import { dotForward } from './tables/dot-forward.ts';
import { tableMain } from './tables/table-main.ts';

await tableMain('dot-forward', dotForward);
