/**
 * The same tables made and read by the programs that Debian has: tinycdb, ucspi-tcp, fastforward and
 * dot-forward. Those that look into /etc and qmail's home get a root of their own to look into.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import {
  compileForwardSource,
  formatForwardSource,
} from '../../../../src/aliases/tables/forward-source.ts';
import { compileInclude } from '../../../../src/aliases/tables/include-list.ts';
import { compileMailList, formatMailList } from '../../../../src/aliases/tables/list-file.ts';
import { compileAliases } from '../../../../src/aliases/tables/sendmail-aliases.ts';
import { compileTcpRules } from '../../../../src/control/tcp-rules-cdb.ts';
import { openCdbFile } from '../../../../src/platform/cdb-file.ts';
import { buildCdb } from '../../../support/build-cdb.ts';
import {
  deliveryEnv,
  forward,
  makeHome,
  ours,
  type ForwardingCall,
} from '../../../support/forwarding-run.ts';
import { seeded, type Chance } from '../../../support/seeded.ts';
import { tempDir, type TempDir } from '../../../support/temp-dir.ts';

const find = (program: string): string | undefined =>
  ['/usr/sbin', '/usr/bin']
    .map((folder) => `${folder}/${program}`)
    .find((path) => spawnSync('test', ['-x', path]).status === 0);

/** `describe`, or why not in its name. */
const needs = (
  debianPackage: string,
  programs: readonly string[],
  besides = true,
): typeof describe =>
  programs.every((program) => find(program) !== undefined) && besides
    ? describe
    : (((name: string, work: () => void) =>
        describe.skip(
          `${name} (needs ${debianPackage}${besides ? '' : ' and root'})`,
          work,
        )) as typeof describe);

/** Only root can give a program another /etc. */
const canIsolate =
  spawnSync('unshare', ['-m', 'true']).status === 0 && find('dot-forward') !== undefined;

let dir: TempDir;
beforeAll(() => {
  dir = tempDir();
  makeHome(dir);
});
afterAll(() => dir.remove());

const bytes = (text: string) => Buffer.from(text, 'latin1');
type Records = Iterable<readonly [string, string]>;
const build = (records: Records) =>
  Buffer.from(buildCdb([...records].map(([key, data]) => [bytes(key), bytes(data)])));

const run = (program: string, args: readonly string[], input: string | Buffer = '', env = {}) =>
  spawnSync(find(program)!, [...args], {
    input: typeof input === 'string' ? bytes(input) : input,
    cwd: dir.file('home'),
    env: { PATH: process.env['PATH'], ...env },
  });

const home = (name: string) => dir.file(`home/${name}`);

/** The bytes that ours makes, or its complaint. */
function attempt(work: () => Buffer | string): string {
  try {
    const made = work();
    return typeof made === 'string' ? made : made.toString('latin1');
  } catch (cause) {
    return `! ${(cause as Error).message}`;
  }
}

/** The same of an original that leaves its work in a file. */
function attemptOf(program: string, args: readonly string[], input: string, made: string): string {
  const { status, stderr } = run(program, args, input);
  return status === 0 ? readFileSync(home(made), 'latin1') : complaint(stderr);
}

const complaint = (stderr: Buffer): string =>
  `! ${stderr
    .toString('latin1')
    .replace(/^[a-z-]+: fatal: /, '')
    .trimEnd()}`;

/** Words in a row, as many as chance has it. */
const words = (chance: Chance, from: readonly string[], most: number): string =>
  Array.from({ length: 1 + chance.below(most) }, () => chance.one(from)).join('');

const many = (count: number, seed: number, make: (chance: Chance) => string): readonly string[] => {
  const chance = seeded(seed);
  return Array.from({ length: count }, () => make(chance));
};

needs('tinycdb', ['cdb'])('a database and tinycdb', () => {
  const keys = Array.from({ length: 700 }, (_, i) => (i % 50 === 7 ? 'twice' : `key ${i}\n`));
  const records: Records = [['', 'of the empty key'], ...keys.map((key, i) => [key, `${i}\0`.repeat(i % 9)] as const)]; // prettier-ignore

  it('agree on every byte', () => {
    const text = [...records].map(([key, data]) => `+${key.length},${data.length}:${key}->${data}\n`).join(''); // prettier-ignore
    writeFileSync(home('ours.cdb'), build(records));
    expect(run('cdb', ['-d', 'ours.cdb']).stdout.toString('latin1')).toBe(`${text}\n`);
    expect(run('cdb', ['-c', 'theirs.cdb'], `${text}\n`).status).toBe(0);
    expect(readFileSync(home('theirs.cdb')).equals(build(records))).toBe(true);
  });

  it('find the same', () => {
    writeFileSync(home('ours.cdb'), build(records));
    for (const key of ['key 3\n', '', 'missing', 'twice']) {
      const { status, stdout } = run('cdb', ['-q', 'ours.cdb', key]);
      const cdb = openCdbFile(home('ours.cdb'));
      const found = Buffer.concat([...cdb.getAll(bytes(key))]);
      cdb.close();
      expect([status, stdout.equals(found)]).toEqual([key === 'missing' ? 100 : 0, true]);
    }
  });
});

needs('ucspi-tcp', ['tcprules', 'tcprulescheck'])('access rules', () => {
  const address = ['1', '2.', '10', '.', '-', '3-5', '=', 'a.b', '@', 'j@', '255', ' '];
  const rule = (chance: Chance): string =>
    chance.happens(0.7)
      ? `${chance.one(['1.2.3.', '10.', '=a.b', '=.b', '', 'j@1.2.3.4', '1.2.3.4-9', '=X'])}:${chance.one(['allow', 'deny'])}${chance.one(['', ',A="x"', ',B=/y/,C="a,b"', ',=zz'])}`
      : `${words(chance, address, 4)}:${chance.one(['allow', 'deny', 'x', 'allow ', 'deny,A=', 'allow,A="b"c'])}`;
  const files = many(70, 1, (chance) =>
    many(1 + chance.below(3), chance.below(1e9), rule).join('\n'),
  );

  it('are compiled to the same bytes, or refused with the same words', () => {
    let compiled = 0;
    for (const rules of files) {
      const theirs = attemptOf('tcprules', ['r.cdb', 'r.tmp'], rules, 'r.cdb');
      expect([rules, attempt(() => build(compileTcpRules(rules)))]).toEqual([rules, theirs]);
      if (!theirs.startsWith('!')) compiled += 1;
    }
    expect(compiled).toBeGreaterThan(20);
  });

  it('are told the same by both tcprulescheck, whoever compiled them', async () => {
    const rules = '1.2.3.:allow,A="x"\n=.b:deny\nj@1.2.3.4:allow,B="y"\n=:allow\n';
    for (const compiler of [[find('tcprules')!], ours('tcprules')]) {
      await forward(dir, [...compiler, 'r.cdb', 'r.tmp'], { message: rules });
      for (const env of [
        { TCPREMOTEIP: '1.2.3.4', TCPREMOTEINFO: 'j' },
        { TCPREMOTEIP: '9.9.9.9', TCPREMOTEHOST: 'a.b' },
        { TCPREMOTEIP: '9.9.9.9' },
      ]) {
        // prettier-ignore
        const theirs = await forward(dir, [find('tcprulescheck')!, 'r.cdb'], { env });
        expect(theirs.out).toContain(' connection\n');
        expect(await forward(dir, [...ours('tcprulescheck'), 'r.cdb'], { env })).toEqual(theirs);
      }
    }
  });
});

needs('fastforward', ['setforward', 'printforward', 'setmaillist', 'printmaillist'])(
  'forwarding tables',
  () => {
    const bits = [
      'a',
      'B',
      '@x',
      ':',
      ': ',
      ',',
      ';',
      ' ',
      '\n',
      '#',
      '\\',
      '?o',
      '|p',
      '!q',
      '&z',
      './l',
      '\0',
      '\xe9',
    ];
    const entry = (chance: Chance): string =>
      chance.happens(0.6)
        ? `${chance.one(['a@x', 'B@Y', '@h', 'u@'])}: ${many(chance.below(4), chance.below(1e9), (c) => c.one(['b@x', '?o@x', '|p\\ \\;q', '!r', '/l', './l', '&\xe9', '# c\n d'])).join(', ')};`
        : words(chance, bits, 8);
    const sources = many(70, 2, (chance) =>
      many(1 + chance.below(3), chance.below(1e9), entry).join('\n'),
    );

    it('are compiled to the same bytes, and printed back the same', () => {
      let compiled = 0;
      for (const source of sources) {
        const theirs = attemptOf('setforward', ['s.cdb', 's.tmp'], source, 's.cdb');
        expect([source, attempt(() => build(compileForwardSource(source)))]).toEqual([
          source,
          theirs,
        ]);
        if (theirs.startsWith('!')) continue;
        compiled += 1;
        const printed = run('printforward', [], build(compileForwardSource(source))).stdout;
        expect([...formatForwardSource(compileForwardSource(source))].join('')).toBe(printed.toString('latin1')); // prettier-ignore
      }
      expect(compiled).toBeGreaterThan(12);
    });

    it('have the same list files', () => {
      for (const text of many(50, 3, (chance) =>
        words(chance, ['a', '&', ' ', '\t', '\n', '#', './', '/', '\xe9', '|'], 9),
      )) {
        // prettier-ignore
        const theirs = attemptOf('setmaillist', ['s.bin', 's.tmp'], text, 's.bin');
        expect([text, attempt(() => [...compileMailList(text)].join(''))]).toEqual([text, theirs]);
        const printed = run('printmaillist', [], theirs).stdout.toString('latin1');
        expect([...formatMailList(theirs)].join('')).toBe(printed);
      }
    });
  },
);

/** Runs a shell script where /etc and qmail's home are folders of ours. */
function isolated(script: string): void {
  const mounts = `mount --bind ${dir.file('etc')} /etc && mount --bind ${dir.path} /var/lib/qmail`;
  const { status, stderr } = spawnSync('unshare', [
    '-m',
    'sh',
    '-c',
    `${mounts} && cd ${home('')} && ${script}`,
  ]);
  if (status !== 0) throw new Error(stderr.toString());
}

const bits = [
  ...[
    'a',
    'joe',
    'x.org',
    '@',
    '.',
    ',',
    ' ',
    ':',
    ';',
    '<b@c>',
    '+',
    '|p',
    ':include:f ',
    '"a b"',
  ],
  ...[
    '(c (d) e)',
    '[1.2]',
    'joe@x.org',
    '@y',
    'x@y ',
    'Name <q@r>',
    '\\j',
    '<@a:u@h>',
    '"|p q"',
    '\xe9',
  ],
];
const listOf = (chance: Chance): string => words(chance, bits, 7);
const hosts = { defaultHost: 'dh.org', defaultDomain: 'dd.org', plusDomain: 'pd.org' };

needs(
  'fastforward and dot-forward',
  ['qmail-newaliases', 'newinclude', 'dot-forward'],
  canIsolate,
)("sendmail's files", () => {
  const count = 120;

  /** Runs `command` on each text as `file`, and gives what it leaves in `made`, or says. */
  function batch(
    texts: readonly string[],
    command: string,
    file: string,
    made: string,
  ): readonly string[] {
    texts.forEach((text, i) => {
      writeFileSync(home(`${i}.in`), bytes(text));
      rmSync(home(`${i}.out`), { force: true });
    });
    isolated(
      `i=0; while [ $i -lt ${texts.length} ]; do cp $i.in ${file}; rm -f ${made}; if ${command} 2>$i.err; then cp ${made} $i.out; fi; i=$((i+1)); done`,
    );
    return texts.map((_, i) => {
      try {
        return readFileSync(home(`${i}.out`), 'latin1');
      } catch {
        return complaint(readFileSync(home(`${i}.err`)));
      }
    });
  }

  /** What is said of a mistake that both find is each one's own affair. */
  const bare = (made: string) => (made.startsWith('!') ? '!' : made);

  it('aliases are compiled to the same bytes', () => {
    const line = (chance: Chance) => chance.one(['a: ', 'b@c: ', '@x: ', 'owner-l: ', ' ', '#', '']) + listOf(chance); // prettier-ignore
    const texts = many(count, 4, (chance) => `${many(1 + chance.below(2), chance.below(1e9), line).join('\n')}\n`); // prettier-ignore
    const theirs = batch(texts, 'qmail-newaliases', '/etc/aliases', '/etc/aliases.cdb');
    texts.forEach((text, i) => {
      const mine = attempt(() => build(compileAliases(text, hosts)));
      expect([text, bare(mine)]).toEqual([text, bare(theirs[i]!)]);
    });
    expect(theirs.filter((made) => !made.startsWith('!')).length).toBeGreaterThan(35);
  });

  it('include lists are compiled to the same bytes', () => {
    const texts = many(count, 5, (chance) => `${listOf(chance)}\n${listOf(chance)}\n`);
    const theirs = batch(texts, 'newinclude list', 'list', 'list.bin');
    texts.forEach((text, i) => {
      // They complete `joe@` to `joe@.domain`, which is nobody's; newaliases, and we, to the default host.
      if (theirs[i]!.includes('@.')) return;
      const mine = attempt(() => [...compileInclude(text, hosts)].join(''));
      expect([text, bare(mine)]).toEqual([text, bare(theirs[i]!)]);
    });
    expect(theirs.filter((made) => !made.startsWith('!')).length).toBeGreaterThan(35);
  });

  it.each([
    ['\\joe, ann@y.org'],
    ['ann@y.org\nbob'],
    ['JOE@X.ORG'],
    ['"|cat; echo one", "|wc -l", \\joe'],
    ['# nothing'],
    ['/home/joe/mbox'],
    ['ann@y.org\n"|exit 1"'],
    ['ann@y.org\n"|exit 77"'],
    ['ann@y.org\n"|exit 99"'],
    ['"|kill -9 $$"'],
    ['Ann <ann@y>, <@r:u@h>, group: x, y+;'],
    ['ann@y.org\n"open'],
  ])('.forward with %j does the same', async (text) => {
    writeFileSync(home('.forward'), text);
    const theirs = await inside(['dot-forward', '.forward']);
    expect(await forward(dir, [...ours('dot-forward'), '.forward'])).toEqual(theirs);
  });

  it.each([
    ['owner-a: o\na: b, "|cat", "|echo \\$SENDER; exit 0", c@d\n', { RECIPIENT: 'A@x' }],
    ['a: b\nb: c, d\n', { RECIPIENT: 'a@x' }],
    ['a: b@y.org\n', { RECIPIENT: 'nobody@x' }],
    ['@x: "|exit 100"\n', { RECIPIENT: 'a@x' }],
    ['a: :include:list\n', { RECIPIENT: 'a@x' }],
    ['a: :include:gone\n', { RECIPIENT: 'a@x' }],
    ['a: b\n', { DEFAULT: 'a', HOST: 'x', RECIPIENT: 'alias-a@x', options: '-dp' }],
  ])(
    'aliases %j are followed the same, whoever compiled them',
    async (text, { options, ...env }: { options?: string; [name: string]: string | undefined }) => {
      writeFileSync(dir.file('etc/aliases'), text);
      writeFileSync(home('list'), 'm@y.org, n@y.org\n');
      isolated(
        'qmail-newaliases && newinclude list && mv list.bin list.bin.new && mv list.bin.new list.bin',
      );
      const words = [...(options === undefined ? [] : [options]), 'table.cdb'];
      const tables = [
        readFileSync(dir.file('etc/aliases.cdb')),
        build(compileAliases(text, hosts)),
      ];
      for (const table of tables) {
        writeFileSync(home('table.cdb'), table);
        const theirs = await inside(['fastforward', ...words], { env });
        expect(await forward(dir, [...ours('fastforward'), ...words], { env })).toEqual(theirs);
      }
    },
  );
});

/** An original, where qmail's home is the folder of this test. */
const inside = (command: readonly string[], call: ForwardingCall = {}) =>
  forward(
    dir,
    [
      'unshare',
      '-m',
      'sh',
      '-c',
      `mount --bind ${dir.path} /var/lib/qmail && exec "$@"`,
      'sh',
      ...command,
    ],
    { ...call, env: { ...deliveryEnv, ...call.env, QMAILQUEUE: undefined } },
  );
