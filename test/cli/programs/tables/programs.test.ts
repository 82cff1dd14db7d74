/** The programs for tables as functions: arguments, messages, exit codes, and what they leave behind. */
import { describe, expect, it } from '@jest/globals';
import { dotForward } from '../../../../src/cli/programs/tables/dot-forward.ts';
import { fastforward } from '../../../../src/cli/programs/tables/fastforward.ts';
import { newaliases } from '../../../../src/cli/programs/tables/newaliases.ts';
import { newinclude } from '../../../../src/cli/programs/tables/newinclude.ts';
import { printforward } from '../../../../src/cli/programs/tables/printforward.ts';
import { printmaillist } from '../../../../src/cli/programs/tables/printmaillist.ts';
import { qmailNewmrh } from '../../../../src/cli/programs/tables/qmail-newmrh.ts';
import { qmailNewu } from '../../../../src/cli/programs/tables/qmail-newu.ts';
import { setforward } from '../../../../src/cli/programs/tables/setforward.ts';
import { setmaillist } from '../../../../src/cli/programs/tables/setmaillist.ts';
import { tcprules } from '../../../../src/cli/programs/tables/tcprules.ts';
import { tcprulescheck } from '../../../../src/cli/programs/tables/tcprulescheck.ts';
import { runTool } from '../../../support/program-run.ts';
import { memoryFiles } from '../../../support/table-files.ts';

const controls = {
  '/c/control/': '',
  '/c/control/me': 'me.org\n',
  '/c/control/defaulthost': 'dh.org\n',
};

describe('a compiler of tables', () => {
  const inputs = [
    ['tcprules', tcprules, 'rules.cdb rules.tmp', ':allow\n'],
    ['setforward', setforward, 'data.cdb data.tmp', 'a: b;'],
    ['setmaillist', setmaillist, 'list.bin list.tmp', 'a\n'],
  ] as const;

  it.each(inputs)('%s wants two names', async (name, program, usage, _input) => {
    for (const args of [[], ['one']]) {
      const ran = await runTool(name, program, memoryFiles({}), { args });
      expect(ran).toEqual({ exit: 100, said: `${name}: usage: ${name} ${usage}\n`, printed: '' });
    }
  });

  it.each(inputs)('%s makes its table, and says nothing', async (name, program, _, input) => {
    const files = memoryFiles({ x: 'old' });
    const ran = await runTool(name, program, files, { args: ['x', 'x.tmp'], input });
    expect(ran).toEqual({ exit: 0, said: '', printed: '' });
    expect(files.texts.get('x')).not.toBe('old');
  });

  it.each(inputs)(
    '%s keeps the old table when the disk is full',
    async (name, program, _, input) => {
      const files = memoryFiles({ x: 'old' }, ['x.tmp']);
      const ran = await runTool(name, program, files, { args: ['x', 'x.tmp'], input });
      expect(ran).toMatchObject({
        exit: 111,
        said: `${name}: fatal: unable to write to x.tmp: out of disk space\n`,
      });
      expect(files.texts.get('x')).toBe('old');
    },
  );

  it.each([
    ['tcprules', tcprules, '1.2.3.4:perhaps', 100, 'unable to parse this line: 1.2.3.4:perhaps'],
    ['setforward', setforward, 'a: b', 100, 'final instruction must end with semicolon'],
    ['setmaillist', setmaillist, 'a\0', 111, 'NUL in input'],
  ] as const)(
    '%s keeps the old table when it cannot parse',
    async (name, program, input, exit, why) => {
      const files = memoryFiles({ x: 'old' });
      const ran = await runTool(name, program, files, { args: ['x', 'x.tmp'], input });
      expect(ran).toEqual({ exit, said: `${name}: fatal: ${why}\n`, printed: '' });
      expect([...files.texts]).toEqual([['x', 'old']]);
    },
  );
});

describe('tcprulescheck', () => {
  const rules = `127.:allow,RELAYCLIENT=""
1.2.3.37-39:deny
10.2-3.:allow,X=/a b/
joe@1.2.3.4:deny
=.example.com:allow,RELAYCLIENT="@fix",DATABYTES="100"
:allow
`;

  it.each([
    [{ TCPREMOTEIP: '1.2.3.38' }, 'rule 1.2.3.38:\ndeny connection\n'],
    [
      { TCPREMOTEIP: '10.3.9.9' },
      'rule 10.3.:\nset environment variable X=a b\nallow connection\n',
    ],
    [
      { TCPREMOTEIP: '9.9.9.9', TCPREMOTEHOST: 'a.example.com' },
      'rule =.example.com:\nset environment variable RELAYCLIENT=@fix\nset environment variable DATABYTES=100\nallow connection\n',
    ],
    [{ TCPREMOTEIP: '9.9.9.9', TCPREMOTEHOST: 'example.com' }, 'rule :\nallow connection\n'],
    [{ TCPREMOTEIP: '1.2.3.4', TCPREMOTEINFO: 'joe' }, 'rule joe@1.2.3.4:\ndeny connection\n'],
    [{}, 'rule :\nallow connection\n'],
  ])('%j: %j', async (env, printed) => {
    const files = memoryFiles({});
    await runTool('tcprules', tcprules, files, { args: ['r', 't'], input: rules });
    const ran = await runTool('tcprulescheck', tcprulescheck, files, { args: ['r'], env });
    expect(ran).toEqual({ exit: 0, said: '', printed });
  });

  it('says default where no rule speaks for a client', async () => {
    const files = memoryFiles({});
    await runTool('tcprules', tcprules, files, { args: ['r', 't'], input: '1.2.3.4:deny' });
    const { printed } = await runTool('tcprulescheck', tcprulescheck, files, { args: ['r'] });
    expect(printed).toBe('default:\nallow connection\n');
  });

  it.each([
    [[], 100, 'tcprulescheck: usage: tcprulescheck rules.cdb\n'],
    [['none'], 111, 'tcprulescheck: fatal: unable to read none: file does not exist\n'],
    [
      ['bad'],
      111,
      'tcprulescheck: fatal: unable to read bad: not a valid cdb: the header is cut short\n',
    ],
  ])('with %j exits %i: %s', async (args, exit, said) => {
    const ran = await runTool('tcprulescheck', tcprulescheck, memoryFiles({ bad: 'x' }), { args });
    expect(ran).toEqual({ exit, said, printed: '' });
  });
});

describe('printforward and printmaillist', () => {
  it('print what compiles to the same table again', async () => {
    const files = memoryFiles({});
    const source = 'root@yp.to: ?owner@yp.to, god@heaven.af.mil, |echo\\ hi, /var/lists/a.bin;';
    await runTool('setforward', setforward, files, { args: ['one', 't'], input: source });
    const one = files.texts.get('one')!;
    const { printed } = await runTool('printforward', printforward, files, { input: one });
    await runTool('setforward', setforward, files, { args: ['two', 't'], input: printed });
    expect(files.texts.get('two')).toBe(one);

    const text = '&joe@x.org\n&ann@x.org\n./b.bin\n';
    await runTool('setmaillist', setmaillist, files, { args: ['l', 't'], input: text });
    const list = await runTool('printmaillist', printmaillist, files, {
      input: files.texts.get('l')!,
    });
    expect(list).toEqual({ exit: 0, said: '', printed: text });
  });

  it.each([
    ['printforward', printforward, 'x', 'bad database format'],
    ['printmaillist', printmaillist, 'x', 'bad mailing list format'],
  ] as const)('%s refuses what is none', async (name, program, input, why) => {
    const ran = await runTool(name, program, memoryFiles({}), { input });
    expect(ran).toMatchObject({ exit: 100, said: `${name}: fatal: ${why}\n` });
  });
});

describe('newaliases', () => {
  it('compiles /etc/aliases with the control files, for everybody to read', async () => {
    const files = memoryFiles({ ...controls, '/etc/aliases': 'owner-l: joe, ann@y\n' });
    expect(await runTool('newaliases', newaliases, files)).toEqual({
      exit: 0,
      said: '',
      printed: '',
    });
    expect(files.dump('/etc/aliases.cdb')).toEqual([
      '?l@->owner-l@dh.org',
      ':owner-l@->&ann@y.me.org\0&joe@dh.org\0',
    ]);
    expect(files.modes.get('/etc/aliases.cdb')).toBe(0o644);
  });

  it.each([
    ['joe:', 111, 'unable to parse this line: joe:'],
    ['joe: /mbox', 111, 'file delivery /mbox not supported'],
    [`joe: ${'x'.repeat(900)}`, 100, 'addresses over 800 bytes are not permitted'],
  ])('keeps the old table when it meets %s', async (line, exit, why) => {
    const files = memoryFiles({
      ...controls,
      '/etc/aliases': `${line}\n`,
      '/etc/aliases.cdb': 'old',
    });
    const ran = await runTool('newaliases', newaliases, files);
    expect(ran).toMatchObject({ exit, said: `newaliases: fatal: ${why}\n` });
    expect(files.texts.get('/etc/aliases.cdb')).toBe('old');
  });

  it("completes nothing with a host that is nobody's", async () => {
    const gone = await runTool('newaliases', newaliases, memoryFiles({ '/etc/aliases': 'a: b\n' }));
    expect(gone).toMatchObject({
      exit: 111,
      said: 'newaliases: fatal: unable to chdir to /c/control: file does not exist\n',
    });
    const none = await runTool('newaliases', newaliases, memoryFiles(controls));
    expect(none).toMatchObject({
      exit: 111,
      said: 'newaliases: fatal: unable to read /etc/aliases: file does not exist\n',
    });
  });
});

describe('newinclude', () => {
  it('makes list.bin beside the list; its environment overrules the control files', async () => {
    const files = memoryFiles({ ...controls, list: 'a, b@c\n:include:d\n' });
    await runTool('newinclude', newinclude, files, { args: ['list'] });
    expect(files.texts.get('list.bin')).toBe('&b@c.me.org\0&a@dh.org\0./d\0');
    const env = { QMAILDEFAULTHOST: 'q', QMAILDEFAULTDOMAIN: 'd', QMAILPLUSDOMAIN: 'p' };
    const plus = memoryFiles({ ...controls, list: 'a,b@c+' });
    await runTool('newinclude', newinclude, plus, { args: ['list'], env });
    expect(plus.texts.get('list.bin')).toBe('&b@c.p\0&a@q.d\0');
    expect(plus.modes.get('list.bin')).toBe(0o644);
  });

  it.each([
    [[], 100, 'newinclude: usage: newinclude list\n'],
    [['none'], 111, 'newinclude: fatal: unable to read none: file does not exist\n'],
    [['bad'], 111, 'newinclude: fatal: program delivery |x not supported\n'],
  ])('with %j exits %i', async (args, exit, said) => {
    const files = memoryFiles({ ...controls, bad: '|x', 'bad.bin': 'old' });
    expect(await runTool('newinclude', newinclude, files, { args })).toMatchObject({ exit, said });
    expect(files.texts.get('bad.bin')).toBe('old');
  });
});

describe('qmail-newmrh', () => {
  it('compiles control/morercpthosts in lower case, without comments and trailing blanks', async () => {
    const files = memoryFiles({
      ...controls,
      '/c/control/morercpthosts': '# c\nMore.Test \t\n\n.wild.test\n',
    });
    expect(await runTool('qmail-newmrh', qmailNewmrh, files)).toMatchObject({ exit: 0, said: '' });
    expect(files.dump('/c/control/morercpthosts.cdb')).toEqual(['more.test->', '.wild.test->']);
  });

  it('says what it misses, and keeps the old database', async () => {
    const files = memoryFiles({ ...controls, '/c/control/morercpthosts.cdb': 'old' });
    expect(await runTool('qmail-newmrh', qmailNewmrh, files)).toMatchObject({
      exit: 111,
      said: 'qmail-newmrh: fatal: unable to read control/morercpthosts: file does not exist\n',
    });
    expect(files.texts.get('/c/control/morercpthosts.cdb')).toBe('old');
  });
});

describe('qmail-newu', () => {
  const newu = (tools: Parameters<typeof qmailNewu>[0]) => qmailNewu(tools, () => '/u/assign');

  it('compiles users/assign into users/cdb', async () => {
    const files = memoryFiles({
      '/u/assign': '=joe:joe:503:78:/home/joe:::\n+:alias:1:2:/a:-::\n.\n',
    });
    expect(await runTool('qmail-newu', newu, files)).toEqual({ exit: 0, said: '', printed: '' });
    expect(files.dump('/u/cdb')).toEqual([
      '!joe\0->joe\x00503\x0078\0/home/joe\0\0',
      '!->alias\x001\x002\0/a\0-\0',
      '->',
    ]);
  });

  it.each([
    [{}, 'unable to open users/assign: file does not exist'],
    [
      { '/u/assign': '=joe:joe:1:1:/h:::\n' },
      'bad format in users/assign:1: no line with a dot at the end: cut short?',
    ],
    [{ '/u/assign': '=joe:joe:1\n.\n' }, 'bad format in users/assign:1: '],
  ])('keeps the old one where it finds %j', async (more, why) => {
    const files = memoryFiles({ '/u/cdb': 'old', ...more });
    const { exit, said } = await runTool('qmail-newu', newu, files);
    expect([exit, said.slice(0, 19 + why.length)]).toEqual([111, `qmail-newu: fatal: ${why}`]);
    expect(files.texts.get('/u/cdb')).toBe('old');
  });

  it('uses its own words for a full disk', async () => {
    const files = memoryFiles({ '/u/assign': '.\n' }, ['/u/cdb.tmp']);
    const { said } = await runTool('qmail-newu', newu, files);
    expect(said).toBe('qmail-newu: fatal: unable to write users/cdb.tmp: out of disk space\n');
  });
});

describe('fastforward -n', () => {
  const source =
    'a@x: ?o@x, b@x, |echo\\ hi\\\x01, !vacation; only@x: |true; list@x: ./l, ./secret; @wild: w@x;';
  const run = async (args: readonly string[], env: { [name: string]: string }) => {
    const files = memoryFiles({ './l': '&m@x\0', './secret': '&s@x\0' });
    files.modes.set('./secret', 0o600);
    await runTool('setforward', setforward, files, { args: ['t', 'u'], input: source });
    const { exit, said } = await runTool('fastforward', fastforward, files, { args, env });
    return [exit, said] as const;
  };
  const found = 'run |echo hi_\nrun !vacation\nfrom <o@x>\nto <b@x>\n';
  const sorry = 'Sorry, no mailbox here by that name. (#5.1.1)\n';
  const usage = 'fastforward: usage: fastforward [ -nNpP ] data.cdb\n';

  it.each([
    [['-n', 't'], { RECIPIENT: 'A@X', SENDER: 's@y' }, 0, found],
    [['-np', 't'], { RECIPIENT: 'a@x', SENDER: 's@y' }, 99, found],
    [['-n', 't'], { RECIPIENT: 'a@x', SENDER: '' }, 0, found.replace('o@x', '')],
    [['-n', 't'], { RECIPIENT: 'only@x' }, 0, 'run |true\nno forwarding\n'],
    [['-n', 't'], { RECIPIENT: 'q@wild' }, 0, 'from <original envelope sender>\nto <w@x>\n'],
    [['-n', 't'], { RECIPIENT: 'q@y' }, 100, sorry],
    [['-np', 't'], { RECIPIENT: 'q@y' }, 0, ''],
    [['-n', '-p', '-P', 't'], { RECIPIENT: 'q@y' }, 100, sorry],
    [['-nd', 't'], { EXT: 'q', HOST: 'wild' }, 0, 'from <original envelope sender>\nto <w@x>\n'],
    [['-nd', 't'], { DEFAULT: 'a', EXT: 'q', HOST: 'x', SENDER: '' }, 0, found.replace('o@x', '')],
    [['-ndD', 't'], { DEFAULT: 'a', HOST: 'x', RECIPIENT: 'q@y' }, 100, sorry],
    [['-nd', 't'], { HOST: 'x' }, 100, 'fastforward: fatal: $DEFAULT or $EXT must be set\n'],
    [['-nd', 't'], { EXT: 'a' }, 100, 'fastforward: fatal: $HOST must be set\n'],
    [['-n', 't'], {}, 100, 'fastforward: fatal: $RECIPIENT must be set\n'],
    [['-n'], { RECIPIENT: 'a@x' }, 100, usage],
    [['-x', 't'], { RECIPIENT: 'a@x' }, 100, `fastforward: illegal option -- x\n${usage}`],
    [
      ['-n', 'none'],
      { RECIPIENT: 'a@x' },
      111,
      'fastforward: fatal: unable to read none: file does not exist\n',
    ],
    [
      ['-n', './l'],
      { RECIPIENT: 'a@x' },
      111,
      'fastforward: fatal: unable to read ./l: not a valid cdb: the header is cut short\n',
    ],
    [
      ['-n', 't'],
      { RECIPIENT: 'list@x' },
      111,
      'fastforward: fatal: ./secret is not world-readable\n',
    ],
  ] as const)('%j with %j exits %i', async (args, env, exit, said) => {
    expect(await run(args, env)).toEqual([exit, said]);
  });
});

describe('dot-forward -n', () => {
  const run = async (
    files: { [path: string]: string },
    args: readonly string[] = ['-n', '.forward'],
  ) => {
    const env = { USER: 'joe', HOST: 'x.org' };
    const memory = memoryFiles({ ...controls, '/c/control/defaulthost': 'x.org\n', ...files });
    const { exit, said } = await runTool('dot-forward', dotForward, memory, { args, env });
    return [exit, said] as const;
  };

  it.each([
    ['\\joe, ann@y.org', 0, 'forward ann@y.org\ndirect delivery\n'],
    ['ann@y.org', 99, 'forward ann@y.org\n'],
    ['JOE@X.ORG', 0, 'direct delivery\n'],
    ['"|/usr/bin/vacation joe", \\joe', 0, 'pipe through /usr/bin/vacation joe\ndirect delivery\n'],
    ['|vacation joe', 0, 'pipe through vacation\ndirect delivery\n'],
    ['/home/joe/mbox', 111, 'dot-forward: fatal: file delivery /home/joe/mbox not supported\n'],
    ['# nothing', 0, 'skipping empty file .forward\ndirect delivery\n'],
    [
      'ann@y.org\n"open',
      111,
      'forward ann@y.org\ndot-forward: fatal: unable to parse this line: "open\n',
    ],
  ])('of %j exits %i', async (text, exit, said) => {
    expect(await run({ '.forward': text })).toEqual([exit, said]);
  });

  it('takes the first file that says anything', async () => {
    const files = { two: '# nothing\n', three: 'ann@y.org\n', four: 'bob@y.org\n' };
    expect(await run(files, ['-n', 'one', 'two', 'three', 'four'])).toEqual([99, 'skipping empty file two\nforward ann@y.org\n']); // prettier-ignore
    expect(await run({}, ['-n', 'one', 'two'])).toEqual([0, 'direct delivery\n']);
  });

  it('knows no other letter than n and N', async () => {
    expect(await run({}, ['-x', 'one'])).toEqual([100, 'dot-forward: illegal option -- x\ndot-forward: usage: dot-forward [ -nN ] file ...\n']); // prettier-ignore
  });
});
