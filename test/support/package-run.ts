/**
 * `npm run test:package`: packs a copy of this tree, installs the tarball where nothing else of it is, and has the
 * installed programs carry a letter. Offline: the packages that it needs are links to those of the clone.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { makeEngine } from './engine.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';

const clone = resolve(import.meta.dirname, '../..');
type Manifest = {
  readonly version: string;
  readonly files: readonly string[];
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
};
const manifest = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as Manifest;
const { version, files, bin, dependencies } = manifest;

const dir = tempDir();
/** The node of this process comes first, as for whoever has one that is new enough. */
const env = {
  ...process.env,
  PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`,
};

try {
  const tarball = pack();
  const bins = install(tarball);
  await carryALetter(bins);
  console.log(`the package ${version} installs and runs: ${Object.keys(bin).length} programs`);
} finally {
  dir.remove();
}

/** In a copy, so that nobody who works in the clone meets a `dist` that comes and goes. */
function pack(): string {
  const tree = dir.file('tree');
  for (const name of [...files, 'package.json', 'README.md', 'LICENSE']) {
    if (existsSync(join(clone, name)) && name !== 'dist')
      cpSync(join(clone, name), join(tree, name), { recursive: true });
  }
  symlinkSync(join(clone, 'node_modules'), join(tree, 'node_modules'));
  run('npm', ['pack', '--silent', '--pack-destination', dir.path], tree);
  must(!existsSync(join(tree, 'dist')), 'npm pack leaves nothing that it built');
  rmSync(tree, { recursive: true });
  return dir.file(`waybill-${version}.tgz`);
}

/** The folder with its commands. */
function install(tarball: string): string {
  const place = dir.file('place');
  const modules = join(place, 'node_modules');
  for (const name of Object.keys(dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(clone, 'node_modules', name), join(modules, name));
  }
  writeFileSync(join(place, 'package.json'), '{"private":true,"type":"module"}\n');
  const quietly = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts', '--silent'];
  run('npm', ['install', ...quietly, tarball], place);
  const bins = join(modules, '.bin');
  for (const name of Object.keys(bin)) must(existsSync(join(bins, name)), `${name} is installed`);
  must(run(join(bins, 'waybill'), ['--version'], place) === `${version}\n`, 'it knows its version');
  const api = "import { openLog } from 'waybill'; console.log(typeof openLog);";
  const told = run(process.execPath, ['--input-type=module', '-e', api], place);
  must(told === 'function\n', 'its library can be imported');
  return bins;
}

async function carryALetter(bins: string): Promise<void> {
  const main = join(bins, '../waybill/src/cli/waybill.mjs');
  const engine = await makeEngine({ main, desk: true });
  try {
    await engine.start();
    const places = { WAYBILL_CONFIG: engine.configDir, WAYBILL_DATA: engine.dataDir };
    run(join(bins, 'qmail-inject'), ['demo@demo.test'], engine.root, {
      ...{ input: 'Subject: a package\n\nhello\n', env: { ...env, ...places } },
    });
    await until(() => engine.maildir('demo').length === 1, 'the letter to arrive');
    const asked = ['--config', engine.configDir, '--data', engine.dataDir];
    const verified = run(join(bins, 'waybill'), [...asked, 'verify'], engine.root);
    must(/1 letter/.test(verified), `the log adds up: ${verified}`);
    await engine.stop();
  } catch (cause) {
    console.error(engine.output());
    throw cause;
  } finally {
    await engine.remove();
  }
}

function run(
  command: string,
  args: readonly string[],
  cwd: string,
  more: { readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {},
): string {
  const options = { cwd, env, encoding: 'utf8' as const, ...more };
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  must(status === 0, `${command} ${args.join(' ')}: ${error?.message ?? `${stdout}${stderr}`}`);
  return stdout;
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not so: ${what}`);
}
