/** qmail-qread and qmail-qstat over a real log, as an engine would have left it. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync, writeFileSync } from 'node:fs';
import { qmailQread } from '../../../../src/cli/programs/readers/qmail-qread.ts';
import { qmailQstat } from '../../../../src/cli/programs/readers/qmail-qstat.ts';
import { runProgram, type Program } from '../../../../src/cli/programs/lib/program.ts';
import { openOffice, says, type Office } from '../../../trace/office.ts';

let office: Office;
beforeEach(async () => {
  office = await openOffice();
});
afterEach(() => office.remove());

async function run(
  make: (tools: { readonly print: (text: string) => void }) => Program,
  data = office.path,
) {
  let [said, printed] = ['', ''];
  const exit = await runProgram('qmail-qstat', make({ print: (text) => (printed += text) }), {
    ...{ args: [], env: { WAYBILL_DATA: data }, say: (text: string) => (said += text) },
    async *input() {},
  });
  return { exit, said, printed };
}

describe('the queue', () => {
  it('is listed with what waits, what is done and what bounces, and counted', async () => {
    const first = await office.accept(['a@far.test', 'b@here.test']);
    const second = await office.accept(['c@far.test'], { returnPath: '' });
    const third = await office.accept(['d@far.test']);
    await office.attempt(first, [0], [says('failed', 0)]);
    await office.attempt(second, [0], [says('delivered', 0)]);
    await office.attempt(third, [0], [says('deferred', 0)]);
    const { exit, printed, said } = await run(qmailQread);
    expect([exit, said]).toEqual([0, '']);
    expect(printed).toBe(
      `1 Jan 2026 00:00:00 GMT  #${first}  14  <joe@here.test>  bouncing\n` +
        '\tlocal\tb@here.test\n  done\tremote\ta@far.test\n' +
        `1 Jan 2026 00:00:00 GMT  #${third}  14  <joe@here.test> \n\tremote\td@far.test\n`,
    );
    expect(await run(qmailQstat)).toEqual({
      ...{ exit: 0, said: '' },
      printed: 'messages in queue: 2\nmessages in queue but not yet preprocessed: 0\n',
    });
  });
  it('still has a letter that owes its bounce', async () => {
    const id = await office.accept(['a@far.test']);
    await office.attempt(id, [0], [says('failed', 0)]);
    expect((await run(qmailQread)).printed).toContain(
      `#${id}  14  <joe@here.test>  bouncing\n  done\tremote\ta@far.test\n`,
    );
    expect((await run(qmailQstat)).printed).toMatch(/^messages in queue: 1\n/);
  });
  it('is the same from a checkpoint and the log since, and from the first event', async () => {
    const gone = await office.accept(['a@far.test']);
    await office.accept(['b@far.test']);
    await office.writeCheckpoint();
    await office.attempt(gone, [0], [says('delivered', 0)]);
    await office.accept(['c@far.test']);
    const { printed } = await run(qmailQread);
    expect(printed.match(/remote\t.*/g)).toEqual(['remote\tb@far.test', 'remote\tc@far.test']);
    rmSync(office.dir.file('checkpoints/agenda'));
    expect((await run(qmailQread)).printed).toBe(printed);
    writeFileSync(office.dir.file('checkpoints/agenda'), 'no checkpoint');
    expect((await run(qmailQread)).printed).toBe(printed);
  });
  it('is empty, and says so', async () => {
    expect(await run(qmailQread)).toEqual({ exit: 0, said: '', printed: '' });
    expect((await run(qmailQstat)).printed).toMatch(/^messages in queue: 0\n/);
  });
  it('cannot be looked at where there is none', async () => {
    const nowhere = office.dir.file('nowhere');
    expect(await run(qmailQread, nowhere)).toEqual({
      ...{ exit: 111, said: '', printed: 'fatal: unable to chdir: file does not exist\n' },
    });
    expect(await run(qmailQread, office.dir.file('run'))).toEqual({
      ...{ exit: 111, said: '', printed: 'fatal: unable to open log: file does not exist\n' },
    });
    expect(await run(qmailQstat, nowhere)).toEqual({
      exit: 111,
      said: 'qmail-qstat: fatal: unable to chdir: file does not exist\n',
      printed: '',
    });
  });
});
