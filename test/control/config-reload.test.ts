import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keysOf, sectionNames } from '../../src/control/config-table.ts';
import { obeyedAtOnce, reloadOf } from '../../src/control/config-reload.ts';
import { readConfigText } from '../../src/control/config.ts';

function read(toml: string) {
  const dir = mkdtempSync(join(tmpdir(), 'waybill-config-'));
  try {
    writeFileSync(join(dir, 'waybill.toml'), toml);
    return readConfigText({ dir, env: {} });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const tls = (certificate: string, key: string) =>
  `[tls]\ncertificate = "${certificate}"\nkey = "${key}"\n`;

describe('a configuration that is read again', () => {
  it('changes nothing when nothing has changed', () => {
    const text = read('[door]\nmax_recipients = 5\n');
    expect(reloadOf(text, read('[door]\nmax_recipients = 5\n'))).toEqual({
      ...{ text, obeyed: [], waiting: [] },
    });
  });

  it('is obeyed as far as a running engine can, and says what waits for a restart', () => {
    const before = read('');
    const after = read(
      '[door]\nmax_recipients = 5\nprocesses = 3\n[listen]\nsmtp = ["127.0.0.1:26"]\n[remote]\ntls = "off"\n',
    );
    const { text, obeyed, waiting } = reloadOf(before, after);
    expect(obeyed).toEqual(['door.max_recipients', 'remote.tls']);
    expect(waiting).toEqual(['listen.smtp', 'door.processes']);
    expect(text.door).toEqual({ ...before.door, max_recipients: 5 });
    expect([text.listen, text.remote.tls]).toEqual([before.listen, 'off']);
    // Said again as long as it is so, and no longer.
    expect(reloadOf(text, after)).toEqual({ text, obeyed: [], waiting });
    expect(reloadOf(text, before).waiting).toEqual([]);
  });

  it('shows another certificate at once, but begins or ends with TLS at a restart', () => {
    const [none, one, other] = [read(''), read(tls('a', 'b')), read(tls('c', 'b'))];
    expect(reloadOf(one, other)).toMatchObject({ text: other, obeyed: ['tls.certificate'] });
    for (const [before, after] of [
      [none, one],
      [one, none],
    ] as const) {
      expect(reloadOf(before, after)).toEqual({
        ...{ text: before, obeyed: [], waiting: ['tls.certificate', 'tls.key'] },
      });
    }
  });

  it('names only keys that there are', () => {
    for (const [section, keys] of Object.entries(obeyedAtOnce)) {
      expect(sectionNames).toContain(section);
      expect(keysOf(section as keyof typeof obeyedAtOnce)).toEqual(
        expect.arrayContaining([...keys]),
      );
    }
  });
});
