import { threadedHand } from '../../../src/log/sqlite/threaded-hand.ts';
import { eventLogContract } from '../../contracts/event-log.ts';
import { openSqlite } from '../../support/sqlite-log.ts';

const abilities = { reopens: true, carriesBodies: true };

eventLogContract('the embedded log', () => openSqlite(), abilities);
eventLogContract(
  'the embedded log with a thread for its writer',
  () => openSqlite({ hand: threadedHand }),
  abilities,
);
