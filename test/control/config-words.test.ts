/** The few settings that small programs read by themselves. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configSchema } from '../../src/control/config-table.ts';
import { assignFileOf, defaultWords, readWords } from '../../src/control/config-words.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'waybill-words-'));
});
afterEach(() => rmSync(dir, { recursive: true }));
const write = (text: string) => writeFileSync(join(dir, 'waybill.toml'), text);

it('their defaults are those of the table', () => {
  const { listen, ...plain } = defaultWords;
  const { listen: table, ...sections } = configSchema.parse({});
  expect(sections).toMatchObject(plain);
  const written = (endpoints: readonly { readonly host: string; readonly port: number }[]) =>
    endpoints.map(({ host, port }) => `${host}:${port}`);
  for (const [name, endpoints] of Object.entries(listen)) {
    expect(written(table[name as keyof typeof listen])).toEqual(endpoints);
  }
});
it('they are read from the file, and from the environment before it', () => {
  write('[log]\nmin_free_mib = 7\n[listen]\nsmtp = [":25"]\n[local]\nusers = "/etc/assign"\n');
  expect(readWords('log', { dir, env: {} })).toMatchObject({ min_free_mib: 7 });
  expect(readWords('log', { dir, env: { WAYBILL_LOG_MIN_FREE_MIB: '8' } })).toMatchObject({
    min_free_mib: 8,
  });
  expect(readWords('listen', { dir, env: { WAYBILL_LISTEN_SMTPS: ':1, :2' } })).toEqual({
    ...{ smtp: [':25'], smtps: [':1', ':2'], submission: [] },
  });
  expect(assignFileOf({ dir, env: {} })).toBe('/etc/assign');
  rmSync(join(dir, 'waybill.toml'));
  expect(assignFileOf({ dir, env: {} })).toBe(join(dir, 'users/assign'));
});
it.each([
  ['[log\n', {}],
  ['[log]\nmin_free_mib = "much"\n', {}],
  ['', { WAYBILL_LOG_MIN_FREE_MIB: 'much' }],
])('what is not understood ends the program with a word: %j', (text, env) => {
  write(text);
  expect(() => readWords('log', { dir, env })).toThrow(/not understood: see waybill check/);
});
