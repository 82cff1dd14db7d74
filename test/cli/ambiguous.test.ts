/** Half an id that many letters have: whoever asked can choose. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openOffice, type Office } from '../trace/office.ts';
import { jsonLines, waybill } from './run.ts';

let office: Office;
let half: string;

beforeAll(async () => {
  office = await openOffice(Date.parse('2026-11-21T06:00:00Z'));
  const ids: string[] = [];
  for (let no = 0; no < 25; no += 1) {
    ids.push(await office.accept(['ann@b.test'], { returnPath: `joe\u001b${no}@here.test` }));
  }
  half = ids[0]!.slice(0, 8);
  await office.close();
});
afterAll(() => office.remove());

const run = (...args: readonly string[]) => waybill(office.path, ...args);
const line =
  /^ {2}[0-9a-f-]{36} {2}2026-11-21T06:00:00\.\d{3}Z {2}from <joe\?\d+@here\.test>, 1 recipient, \d+ bytes$/;

describe('half an id that 25 letters have', () => {
  it.each(['trace', 'why', 'hold'])('is listed by %s, ten of them', (command) => {
    const { code, stdout, stderr } = run(command, half);
    const [head, ...lines] = stderr.trimEnd().split('\n');
    expect([code, stdout]).toEqual([100, '']);
    expect(head).toBe(`waybill: ${half} is ambiguous: 25 letters answer to it`);
    expect(lines).toHaveLength(11);
    for (const each of lines.slice(0, 10)) expect(each).toMatch(line);
    expect(lines.at(-1)).toBe('  and 15 others');
  });

  it.each([
    ['trace', {}],
    ['retry', { act: 'retry' }],
  ] as const)('is one value of JSON from %s --json', (command, more) => {
    const { code, stdout, stderr } = run(command, half, '--json');
    expect([code, stderr]).toEqual([100, '']);
    const [told, ...rest] = jsonLines(stdout);
    expect(rest).toEqual([]);
    expect(told).toMatchObject({ others: 15, error: expect.stringContaining('ambiguous') });
    expect(told).toMatchObject(more);
    const candidates = told!['candidates'] as readonly object[];
    expect(candidates).toHaveLength(10);
    expect(candidates[0]).toMatchObject({
      message: expect.stringMatching(/^[0-9a-f-]{36}$/),
      ...{ acceptedAt: '2026-11-21T06:00:00.000Z', recipients: 1, bytes: expect.any(Number) },
    });
  });
});
