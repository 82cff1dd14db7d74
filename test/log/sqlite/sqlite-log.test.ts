import { eventLogContract } from '../../contracts/event-log.ts';
import { openSqlite } from '../../support/sqlite-log.ts';

eventLogContract('the embedded log', openSqlite, { reopens: true, carriesBodies: true });
