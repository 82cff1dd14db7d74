#!/usr/bin/env node
import { main } from './lib/main.ts';
import { engineTcpto, qmailTcpok } from './readers/tcpto.ts';

await main('qmail-tcpok', qmailTcpok({ withTcpto: engineTcpto }));
