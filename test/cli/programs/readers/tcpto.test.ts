/** qmail-tcpto and qmail-tcpok, down to the table in the role `remote`. */
import { describe, expect, it } from '@jest/globals';
import {
  qmailTcpok,
  qmailTcpto,
  type WithTcpto,
} from '../../../../src/cli/programs/readers/tcpto.ts';
import { runProgram, type Program } from '../../../../src/cli/programs/lib/program.ts';
import {
  linkedTcpto,
  passTcptoOn,
  serveTcpto,
} from '../../../../src/composition/links/tcpto-link.ts';
import { emptyTcpto, noteTimeout } from '../../../../src/delivery/remote/tcpto.ts';
import { ManualClock } from '../../../../src/platform/clock.ts';
import { linkPair } from '../../../../src/platform/link-memory.ts';
import type { Link } from '../../../../src/platform/link.ts';

const clock = new ManualClock();
clock.advance(1_000_000);

/** A program, the queue in the middle, and the role, which may be away. */
function office(away = false) {
  const table = emptyTcpto();
  const [toRemote] = linkPair({}, serveTcpto(table, clock));
  const remote = (): Link | undefined => (away ? undefined : toRemote);
  const [toQueue] = linkPair({}, passTcptoOn(remote));
  const withTcpto: WithTcpto = (_env, use) => use(linkedTcpto(toQueue, clock));
  return { table, withTcpto };
}

async function run(make: (print: (text: string) => void) => Program) {
  let [said, printed] = ['', ''];
  const program = make((text) => (printed += text));
  const call = { args: [], env: {}, say: (text: string) => (said += text), async *input() {} };
  return { exit: await runProgram('qmail-tcpok', program, call), said, printed };
}

describe('addresses that did not answer', () => {
  it('are listed, and forgotten when somebody says so', async () => {
    const { table, withTcpto } = office();
    noteTimeout(table, '192.0.2.1', 700_000);
    noteTimeout(table, '192.0.2.1', 900_000);
    noteTimeout(table, '2001:db8::1', 999_000);
    const list = () => run((print) => qmailTcpto({ withTcpto, clock, print }));
    expect(await list()).toEqual({
      exit: 0,
      said: '',
      printed:
        '192.0.2.1 timed out 100 seconds ago; # recent timeouts: 2\n' +
        '2001:db8::1 timed out 1 seconds ago; # recent timeouts: 1\n',
    });
    expect(await run(() => qmailTcpok({ withTcpto }))).toEqual({ exit: 0, said: '', printed: '' });
    expect([table.size, (await list()).printed]).toEqual([0, '']);
  });
  it('are nobody’s to tell while the role is away', async () => {
    const { withTcpto } = office(true);
    expect(await run((print) => qmailTcpto({ withTcpto, clock, print }))).toEqual({
      exit: 111,
      said: '',
      printed: 'fatal: unable to open tcpto: remote is not running\n',
    });
    expect(await run(() => qmailTcpok({ withTcpto }))).toEqual({
      exit: 111,
      said: 'qmail-tcpok: fatal: unable to open tcpto: remote is not running\n',
      printed: '',
    });
  });
  it('are nobody’s without an engine', async () => {
    const withTcpto: WithTcpto = () =>
      Promise.reject(Object.assign(new Error('connect'), { code: 'ENOENT' }));
    expect(await run((print) => qmailTcpto({ withTcpto, clock, print }))).toMatchObject({
      exit: 111,
      printed: 'fatal: unable to open tcpto: file does not exist\n',
    });
  });
});
