/** dot-forward and fastforward for earnest: programs run, letters reach the queue. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { compileForwardSource } from '../../../../src/aliases/tables/forward-source.ts';
import { systemTableFiles } from '../../../../src/cli/programs/tables/table-files.ts';
import {
  deliveryEnv,
  forward,
  letter,
  makeHome,
  ours,
  type ForwardingCall,
} from '../../../support/forwarding-run.ts';
import { tempDir, type TempDir } from '../../../support/temp-dir.ts';

let dir: TempDir;
beforeEach(() => {
  dir = tempDir();
  makeHome(dir);
});
afterEach(() => dir.remove());

const { UFLINE, RPLINE, DTLINE } = deliveryEnv;
const forwarded = DTLINE + letter;
const withPreface = UFLINE + RPLINE + DTLINE + letter;

const dotForward = (text: string, call: ForwardingCall = {}) => {
  writeFileSync(dir.file('home/.forward'), text);
  return forward(dir, [...ours('dot-forward'), '.forward'], call);
};

const fastforward = (source: string, call: ForwardingCall = {}, ...options: readonly string[]) => {
  const place = { target: dir.file('table.cdb'), temporary: dir.file('table.tmp') };
  systemTableFiles.writeCdb(place, compileForwardSource(source));
  const env = { RECIPIENT: 'a@x', ...call.env };
  return forward(dir, [...ours('fastforward'), ...options, place.target], { ...call, env });
};

const seen = (name: string) => readFileSync(dir.file(`home/${name}`), 'latin1');

describe('a .forward', () => {
  it('sends one letter to all its addresses, from the new sender', async () => {
    expect(await dotForward('\\joe, ann@y.org\nbob')).toEqual({
      exit: 0,
      out: '',
      err: 'dot-forward: info: qp N\n',
      queued: { envelope: ['Fnew@x.org', 'Tann@y.org', 'Tbob@dh.org'], message: forwarded },
    });
    expect(await dotForward('ann@y.org')).toMatchObject({ exit: 99 });
  });

  it.each([[false], [true]])(
    'gives each program the letter from its start, the rightmost one first (through a pipe: %p)',
    async (piped) => {
      const { exit, out, queued } = await dotForward('"|cat; echo 1", "|cat > two"\nann@y.org', {
        piped,
      });
      expect([exit, out, seen('two')]).toEqual([99, `${withPreface}1\n`, withPreface]);
      expect(queued?.message).toBe(forwarded);
    },
  );

  it.each([
    ['exit 0', 99],
    ['exit 99', 111],
    ['exit 1', 111],
    ['exit 64', 100],
    ['exit 77', 100],
    ['exit 100', 100],
    ['exit 112', 100],
    ['exit 111', 111],
    ['no-such-program 2>&-', 111],
  ])('with a program that does %s exits %i', async (command, exit) => {
    const ran = await dotForward(`ann@y.org\n"|${command}"`);
    expect(ran.exit).toBe(exit);
    expect(ran.queued === undefined).toBe(exit !== 99);
  });

  it('tells when a program crashes', async () => {
    const { exit, err } = await dotForward('"|kill -9 $$"');
    expect([exit, err]).toEqual([111, 'dot-forward: fatal: child crashed\n']);
  });

  it('does not mind a program that reads nothing of a large letter', async () => {
    const { exit, queued } = await dotForward('"|true", ann@y.org', { message: `${letter}${'x'.repeat(1_000_000)}\n` }); // prettier-ignore
    expect([exit, queued?.message.length]).toEqual([99, forwarded.length + 1_000_001]);
  });

  it.each([
    ['31', 100, 'mail server permanently rejected message (#5.3.0)'],
    ['53', 111, 'qq write error or disk full (#4.3.0)'],
  ])('exits with what the queue says: %s', async (code, exit, why) => {
    writeFileSync(dir.file('exit'), code);
    const ran = await dotForward('ann@y.org');
    expect([ran.exit, ran.err]).toEqual([exit, `dot-forward: fatal: unable to forward message: ${why}\n`]); // prettier-ignore
  });

  it.each([['NEWSENDER'], ['DTLINE']])('never goes on without %s', async (name) => {
    const { exit, err, queued } = await dotForward('ann@y.org', { env: { [name]: undefined } });
    expect([exit, err, queued]).toEqual([111, `dot-forward: fatal: $${name} must be set\n`, undefined]); // prettier-ignore
  });

  it('that is missing or says nothing leaves the letter to the next line', async () => {
    expect(await dotForward('# nothing')).toEqual({ exit: 0, out: '', err: '' });
    expect(await forward(dir, [...ours('dot-forward'), 'none'])).toEqual({
      exit: 0,
      out: '',
      err: '',
    });
    expect(await forward(dir, [...ours('dot-forward'), '/'])).toMatchObject({
      exit: 111,
      err: 'dot-forward: fatal: unable to read /: is a directory\n',
    });
  });
});

describe('an alias', () => {
  const yp = `root@yp.to: ?owner@yp.to, god@heaven.af.mil, sub@yp.to, list2@yp.to, |echo\\ hi, ./a.bin;
sub@yp.to: x1@q.org, root@yp.to;
list2@yp.to: ?own2@yp.to, m@m.org;`;

  it('runs its programs and sends one letter to all its members', async () => {
    writeFileSync(dir.file('home/a.bin'), '&joe@x.org\0&ann@x.org\0./b.bin\0');
    writeFileSync(dir.file('home/b.bin'), '&z@z.org\0');
    const members = ['god@heaven.af.mil', 'x1@q.org', 'list2@yp.to', 'joe@x.org', 'ann@x.org', 'z@z.org']; // prettier-ignore
    expect(await fastforward(yp, { env: { RECIPIENT: 'ROOT@YP.TO' } })).toEqual({
      exit: 0,
      out: 'hi\n',
      err: 'fastforward: qp N\n',
      queued: {
        envelope: ['Fowner@yp.to', ...members.map((member) => `T${member}`)],
        message: forwarded,
      },
    });
  });

  it('defers when a list cannot be read, though its programs have run', async () => {
    const { exit, out, err, queued } = await fastforward(yp, { env: { RECIPIENT: 'root@yp.to' } });
    expect([exit, out, queued]).toEqual([111, 'hi\n', undefined]);
    expect(err).toBe('fastforward: fatal: unable to read ./a.bin: file does not exist\n');
  });

  it.each([[false], [true]])(
    'gives a program the letter as it is, or with the lines of preline (through a pipe: %p)',
    async (piped) => {
      const source = 'a@x: |cat\\ >\\ bare, !cat\\ >\\ preline, |cat\\ >\\ again, b@x;';
      const { exit, queued } = await fastforward(source, { piped }, '-p');
      expect([exit, seen('bare'), seen('preline'), seen('again')]).toEqual([99, letter, withPreface, letter]); // prettier-ignore
      expect(queued).toEqual({ envelope: ['Fs@x.org', 'Tb@x'], message: forwarded });
    },
  );

  it.each([
    ['|exit\\ 99', 111],
    ['|exit\\ 1', 111],
    ['!exit\\ 77', 100],
    ['|exit\\ 100', 100],
  ])('with the program %s exits %i, and sends nothing', async (command, exit) => {
    const ran = await fastforward(`a@x: ${command}, b@x;`);
    expect([ran.exit, ran.err, ran.queued]).toEqual([exit, '', undefined]);
  });

  it('tells which program crashed', async () => {
    const { exit, err } = await fastforward('a@x: |kill\\ -9\\ $$;');
    expect([exit, err]).toEqual([111, 'fastforward: fatal: child crashed in |kill -9 $$\n']);
  });

  it('of programs alone sends nothing, and has been found', async () => {
    expect(await fastforward('a@x: |true;')).toEqual({ exit: 0, out: '', err: '' });
    expect(existsSync(dir.file('queued.message'))).toBe(false);
  });

  it.each([
    ['31', 100, 'mail server permanently rejected message (#5.3.0)'],
    ['53', 111, 'qq write error or disk full (#4.3.0)'],
  ])('exits with what the queue says: %s', async (code, exit, why) => {
    writeFileSync(dir.file('exit'), code);
    const ran = await fastforward('a@x: b@x;');
    expect([ran.exit, ran.err]).toEqual([exit, `fastforward: fatal: ${why}\n`]);
  });

  it('keeps the sender of a bounce, whoever owns it', async () => {
    const { queued } = await fastforward('a@x: ?o@x, b@x;', { env: { SENDER: '#@[]' } });
    expect(queued?.envelope).toEqual(['F#@[]', 'Tb@x']);
  });
});

describe('the other programs', () => {
  it('are found under their names and read their stdin', async () => {
    const call = { message: ':allow,A="1"\n', env: { TCPREMOTEIP: '1.2.3.4' } };
    expect(await forward(dir, [...ours('tcprules'), 'r.cdb', 'r.tmp'], call)).toEqual({
      exit: 0,
      out: '',
      err: '',
    });
    expect(await forward(dir, [...ours('tcprulescheck'), 'r.cdb'], call)).toMatchObject({
      out: 'rule :\nset environment variable A=1\nallow connection\n',
    });
    const source = { message: 'Ä@x: \xfc@y;' };
    await forward(dir, [...ours('setforward'), 'f.cdb', 'f.tmp'], source);
    const printed = await forward(dir, [...ours('printforward')], { message: '' });
    expect(printed).toMatchObject({ exit: 100, err: 'printforward: fatal: bad database format\n' });
    writeFileSync(dir.file('home/list'), 'ann, bob@y\n');
    await forward(dir, [...ours('newinclude'), 'list']);
    expect(seen('list.bin')).toBe('&bob@y.dd.org\0&ann@dh.org\0');
    writeFileSync(dir.file('control/morercpthosts'), 'More.Test\n');
    expect(await forward(dir, [...ours('qmail-newmrh')])).toEqual({ exit: 0, out: '', err: '' });
    expect(existsSync(dir.file('control/morercpthosts.cdb'))).toBe(true);
  });

  it('qmail-newu finds users/assign where waybill.toml has it', async () => {
    writeFileSync(dir.file('waybill.toml'), '[local]\nusers = "etc/assign"\n');
    writeFileSync(dir.file('etc/assign'), '=joe:joe:1:1:/home/joe:::\n.\n');
    expect(await forward(dir, [...ours('qmail-newu')])).toEqual({ exit: 0, out: '', err: '' });
    expect(existsSync(dir.file('etc/cdb'))).toBe(true);
    writeFileSync(dir.file('waybill.toml'), 'nonsense = \n');
    expect((await forward(dir, [...ours('qmail-newu')])).exit).toBe(111);
  });
});
