/** qmail-showctl: what it says of each control file, there or not. */
import { describe, expect, it } from '@jest/globals';
import { controlWords } from '../../../../src/cli/programs/readers/control-words.ts';
import {
  qmailShowctl,
  type ControlFiles,
} from '../../../../src/cli/programs/readers/qmail-showctl.ts';
import { runProgram } from '../../../../src/cli/programs/lib/program.ts';
import { controlNames } from '../../../../src/control/settings.ts';

type Disk = Readonly<Record<string, string | Error>>;

const filesOf = (disk: Disk): ControlFiles => ({
  names: () => Object.keys(disk).sort(),
  read(name) {
    const found = disk[name];
    if (found instanceof Error) throw found;
    return found;
  },
  changedAt: (name) => (name.endsWith('.cdb') ? 5 : Number(disk[name] === 'newer\n') * 10),
});

const facts = () => ({
  home: '/etc/waybill',
  uids: [1, 2, 3, 0, 5, undefined, 7, 8],
  gids: [20, 21],
});

async function run(files: ControlFiles) {
  let printed = '';
  const program = qmailShowctl({ files, facts, print: (text) => (printed += text) });
  const call = { args: [], env: {}, say: () => undefined, async *input() {} };
  return { exit: await runProgram('qmail-showctl', program, call), printed };
}

/** What is said of one file. */
async function said(name: string, disk: Disk): Promise<string | undefined> {
  const { printed } = await run(filesOf(disk));
  const paragraphs = printed.split('\n\n').map((text) => `${text.trimEnd()}\n`);
  return paragraphs.find((text) => text.startsWith(`${name}: `))?.slice(name.length + 2);
}

const me = { me: 'my.host\n' };

describe('qmail-showctl', () => {
  it('begins with what the installation is', async () => {
    const { exit, printed } = await run(filesOf(me));
    expect(exit).toBe(0);
    expect(printed.slice(0, printed.indexOf('\n\n'))).toBe(
      'qmail home directory: /etc/waybill.\nuser-ext delimiter: -.\npaternalism (in decimal): 2.\n' +
        'silent concurrency limit: none.\nsubdirectory split: 1.\n' +
        'user ids: 1, 2, 3, 0, 5, none, 7, 8.\ngroup ids: 20, 21.',
    );
  });
  it('knows every control file, in the order of names, morercpthosts behind rcpthosts', () => {
    const names = controlWords.map(([name]) => name);
    expect([...names].sort()).toEqual([...controlNames, 'tcp.smtp'].sort());
    expect(names.filter((name) => !/^(more)?rcpthosts$|^tcp/.test(name))).toEqual(
      [...controlNames].filter((name) => !/^(more)?rcpthosts$/.test(name)).sort(),
    );
    expect(names.indexOf('morercpthosts')).toBe(names.indexOf('rcpthosts') + 1);
  });

  /** spec: qmail-control §5 */
  it.each([
    [
      'badmailfrom',
      'Any MAIL FROM is allowed.',
      'a@b\n# no\n\n@c \n',
      '\na@b not accepted in MAIL FROM.\n@c not accepted in MAIL FROM.',
    ],
    ['bouncefrom', 'Bounce user name is MAILER-DAEMON.', 'x\ny\n', 'Bounce user name is x.'],
    ['bouncehost', 'Bounce host name is my.host.', 'x', 'Bounce host name is x.'],
    ['concurrencylocal', 'Local concurrency is 10.', '30\n', 'Local concurrency is 30.'],
    ['concurrencyremote', 'Remote concurrency is 20.', '12abc', 'Remote concurrency is 12.'],
    ['databytes', 'SMTP DATA limit is 0 bytes.', '7', 'SMTP DATA limit is 7 bytes.'],
    ['defaultdomain', 'Default domain name is my.host.', 'x', 'Default domain name is x.'],
    ['defaulthost', 'Default host name is my.host.', 'x', 'Default host name is x.'],
    ['doublebouncehost', '2B recipient host: my.host.', 'x', '2B recipient host: x.'],
    ['doublebounceto', '2B recipient user: postmaster.', '', '2B recipient user: .'],
    ['envnoathost', 'Presumed domain name is my.host.', 'x', 'Presumed domain name is x.'],
    ['helohost', 'SMTP client HELO host name is my.host.', 'x', 'SMTP client HELO host name is x.'],
    ['idhost', 'Message-ID host name is my.host.', 'x', 'Message-ID host name is x.'],
    ['localiphost', 'Local IP address becomes my.host.', 'x', 'Local IP address becomes x.'],
    [
      'locals',
      'Messages for my.host are delivered locally.',
      'x\ny',
      '\nMessages for x are delivered locally.\nMessages for y are delivered locally.',
    ],
    ['me', 'My name is undefined! Uh-oh.', 'x', 'My name is x.'],
    [
      'percenthack',
      'The percent hack is not allowed.',
      'x',
      '\nThe percent hack is allowed for user%host@x.',
    ],
    ['plusdomain', 'Plus domain name is my.host.', 'x', 'Plus domain name is x.'],
    ['qmqpservers', 'No QMQP servers.', '1.2.3.4', '\nQMQP server: 1.2.3.4.'],
    [
      'queuelifetime',
      'Message lifetime in the queue is 604800 seconds.',
      '9',
      'Message lifetime in the queue is 9 seconds.',
    ],
    [
      'rcpthosts',
      'SMTP clients may send messages to what is delivered here (locals and virtualdomains).',
      'x',
      '\nSMTP clients may send messages to recipients at x.',
    ],
    ['morercpthosts', 'No effect.', 'x', 'No rcpthosts; morercpthosts is irrelevant.'],
    ['smtpgreeting', 'SMTP greeting: 220 my.host.', 'x', 'SMTP greeting: 220 x.'],
    ['smtproutes', 'No artificial SMTP routes.', 'a:b', '\nSMTP route: a:b'],
    [
      'timeoutconnect',
      'SMTP client connection timeout is 60 seconds.',
      '9',
      'SMTP client connection timeout is 9 seconds.',
    ],
    [
      'timeoutremote',
      'SMTP client data timeout is 1200 seconds.',
      '9',
      'SMTP client data timeout is 9 seconds.',
    ],
    [
      'timeoutsmtpd',
      'SMTP server data timeout is 1200 seconds.',
      'x',
      '(Default.) SMTP server data timeout is 1200 seconds.',
    ],
    ['virtualdomains', 'No virtual domains.', 'a:b', '\nVirtual domain: a:b'],
  ])('says of %s: %s', async (name, missing, text, there) => {
    const around = name === 'me' ? {} : me;
    expect(await said(name, around)).toBe(`(Default.) ${missing}\n`);
    expect(await said(name, { ...around, [name]: text })).toBe(`${there}\n`);
    expect(await said(name, { ...around, [name]: new Error('EIO') })).toBe(
      'Oops! Trouble reading this file.\n',
    );
  });
  it.each([
    [{}, '(Default.) No effect.'],
    [{ morercpthosts: 'x\n' }, '(Default.) morercpthosts counts by itself.'],
    [{ 'morercpthosts.cdb': 'x' }, "Oops! morercpthosts.cdb exists but morercpthosts doesn't."],
    [
      { 'morercpthosts.cdb': 'x', morercpthosts: 'newer\n' },
      'Oops! morercpthosts.cdb is older than morercpthosts.',
    ],
    [
      { 'morercpthosts.cdb': 'x', morercpthosts: 'x\n' },
      'Modified recently enough; hopefully up to date.',
    ],
  ])('says of morercpthosts.cdb beside %j: %s', async (disk, wanted) => {
    expect(await said('morercpthosts.cdb', { ...disk, rcpthosts: 'x\n' })).toBe(`${wanted}\n`);
  });
  it('shows strangers’ bytes as what they are not, and names what it does not know', async () => {
    const disk = { ...me, locals: 'a\x1bb\xff\n', 'rcpthosts.bak': '' };
    expect(await said('locals', disk)).toBe('\nMessages for a?b? are delivered locally.\n');
    expect((await run(filesOf(disk))).printed).toMatch(
      /\n\nrcpthosts\.bak: I have no idea what this file does\.\n$/,
    );
  });
  it('cannot look into a directory that is not there', async () => {
    const names = () => {
      throw new Error('ENOENT');
    };
    const { exit, printed } = await run({ ...filesOf({}), names });
    expect([exit, printed.endsWith('Oops! Unable to chdir to control.\n')]).toEqual([111, true]);
  });
});
