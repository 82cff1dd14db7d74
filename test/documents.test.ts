/** The pages for people: what they link to and name is there, and what is there is named. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const exclude = (name: string): boolean => /^(node_modules|data|dist|\.git)$/.test(name);
const files = (pattern: string): readonly string[] => globSync(pattern, { cwd: root, exclude });

const pages = files('**/*.md');
const sources = files('{src,projections,test,config}/**/*.{ts,mjs,mts}');
const { bin, scripts } = JSON.parse(read('package.json')) as Record<
  'bin' | 'scripts',
  Record<string, string>
>;

const headings = (page: string): readonly string[] =>
  [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, text]) =>
    text!
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );

function leadsNowhere(page: string, link: string): boolean {
  const [path = '', heading] = link.split('#');
  const target = path === '' ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(root, target))) return true;
  return heading !== undefined && target.endsWith('.md') && !headings(target).includes(heading);
}

describe('the pages for people', () => {
  it('link to what is there', () => {
    expect(pages.length).toBeGreaterThan(40);
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, link]) => link!)
        .filter((link) => !/^[a-z]+:/.test(link) && leadsNowhere(page, link))
        .map((link) => `${page}: ${link}`),
    );
    expect(broken).toEqual([]);
  });

  it('name files that are there, on the walks through the code and in the reading order of each station', () => {
    const walks = ['docs/INTERNALS.md', ...files('src/**/README.md')];
    const missing = walks.flatMap((page) =>
      [...read(page).matchAll(/`([\w./-]+\.(?:ts|mts|mjs))`/g)]
        .map(([, name]) => name!.replace(/^(\.\.\/)+/, ''))
        .filter((name) => name !== 'NAME.ts')
        .filter((name) => !sources.some((file) => file === name || file.endsWith(`/${name}`)))
        .map((name) => `${page}: ${name}`),
    );
    expect(missing).toEqual([]);
  });

  it('list every decision', () => {
    const index = read('docs/decisions/README.md');
    const records = files('docs/decisions/0*.md').map((path) =>
      path.slice(path.lastIndexOf('/') + 1),
    );
    expect(records.length).toBeGreaterThan(10);
    expect(records.filter((name) => !index.includes(`(${name})`))).toEqual([]);
    expect(new Set(records.map((name) => name.slice(0, 4))).size).toBe(records.length);
  });

  it('name every command that npm runs, and every program that it installs', () => {
    const about = read('README.md');
    const called = Object.keys(scripts).filter((name) => !/^(pre|post)pack$|^check:/.test(name));
    const npm = (name: string): RegExp => new RegExp(`npm (run )?(-s )?${name}\\b`);
    expect(called.filter((name) => !npm(name).test(about.replaceAll('run -s', 'run')))).toEqual([]);
    const programs = read('src/cli/programs/README.md');
    const installed = Object.keys(bin).filter((name) => name !== 'waybill');
    expect(installed.filter((name) => !new RegExp(`\\b${name}\\b`).test(programs))).toEqual([]);
  });

  it('tell the job of every folder of src, in its own page and in the list of stations', () => {
    const stations = read('src/README.md');
    const folders = new Set(files('src/*/*').map((path) => path.split('/')[1]!));
    const untold = [...folders].filter((name) => {
      const page = `src/${name}/README.md`;
      if (!existsSync(join(root, page)) || !stations.includes(`(${name}/README.md)`)) return true;
      return !/Job[.*_ ]|_Job_/.test(read(page));
    });
    expect(folders.size).toBeGreaterThan(20);
    expect(untold).toEqual([]);
  });
});
