#!/usr/bin/env node
import { getentAccounts } from '../../aliases/getent-accounts.ts';
import { passwdAccounts } from '../../aliases/passwd-accounts.ts';
import { systemClock as clock } from '../../platform/clock.ts';
import { systemProcesses } from '../../platform/system-processes.ts';
import { main } from './lib/main.ts';
import { print } from './lib/print.ts';
import { qmailGetpw } from './readers/qmail-getpw.ts';

const others = getentAccounts({ processes: systemProcesses({ clock }), clock });

await main('qmail-getpw', qmailGetpw({ accounts: passwdAccounts(others), print }));
