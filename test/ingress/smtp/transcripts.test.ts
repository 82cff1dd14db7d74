import { afterEach, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { FoldedSet } from '../../../src/control/folded.ts';
import type { Dialogue } from './dialogue.ts';
import { closeDoors, openDoor } from './open-door.ts';
import type { Choices, OpenDoor } from './open-door.ts';

const folder = new URL('../../transcripts/', import.meta.url);
const files = readdirSync(folder).filter((name) => /^smtp-.*\.txt$/.test(name));
const id = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;

const unescape = (text: string): string =>
  text.replace(/\\(r|n|0|x[0-9a-f]{2})/g, (_, code: string) => {
    const simple: Record<string, string> = { r: '\r', n: '\n', '0': '\0' };
    return simple[code] ?? String.fromCharCode(Number.parseInt(code.slice(1), 16));
  });

function choicesOf(lines: readonly string[]): Choices {
  const named = new Map(
    lines.flatMap((line) => {
      const match = /^# with ([A-Za-z]+) ?(.*)$/.exec(line);
      return match ? [[match[1] ?? '', match[2] ?? ''] as const] : [];
    }),
  );
  const list = (name: string) => named.get(name)?.split(' ') ?? [];
  const env = [...named].filter(([name]) => name === name.toUpperCase());
  return {
    env: Object.fromEntries(env),
    rules: {
      badmailfrom: new FoldedSet(list('badmailfrom')),
      databytes: Number(named.get('databytes') ?? 0),
      localiphost: named.get('localiphost'),
    },
    ...(named.has('residents') && { residents: list('residents') }),
  };
}

async function play(line: string, client: Dialogue, { intake, clock }: OpenDoor): Promise<void> {
  const [sign, rest] = [line.slice(0, 2), line.slice(2).replace(/^ /, '')];
  if (sign === 'C:') client.raw(`${rest}\r\n`);
  else if (sign === 'C>') client.raw(unescape(rest));
  else if (sign === 'S:') expect((await client.line())?.replace(id, '<id>')).toBe(rest);
  else if (sign === 'S.') expect(await client.line()).toBeUndefined();
  else if (line.startsWith('# after ')) clock.advance(Number(/[0-9]+/.exec(line)?.[0]) * 1000);
  else if (line.startsWith('# stored')) expect(intake.onlyBody()).toBe(unescape(line.slice(9)));
  else if (line.startsWith('# from ')) {
    const [, returnPath, recipients = ''] = /^# from (\S*) to (.*)$/.exec(line) ?? [];
    expect(intake.letters[0]?.envelope).toEqual({ returnPath, recipients: recipients.split(', ') });
  } else expect(line === '' || line.startsWith('#')).toBe(true);
}

describe('the SMTP door', () => {
  afterEach(closeDoors);

  it.each(files)('talks as %s says', async (file) => {
    const lines = readFileSync(new URL(file, folder), 'utf8').split('\n');
    const door = await openDoor(choicesOf(lines));
    const client = await door.dial();
    for (const line of lines) await play(line, client, door);
    client.hangUp();
    if (!lines.some((line) => line.startsWith('# stored'))) {
      expect(door.intake.letters).toEqual([]);
    }
    expect(door.reports).toEqual([]);
  });
});
