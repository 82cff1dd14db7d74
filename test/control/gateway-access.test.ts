import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { readConfig } from '../../src/control/config.ts';
import { checkGatewayAccess } from '../../src/control/gateway-access.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

let dir: TempDir;
beforeEach(() => {
  dir = tempDir();
});
afterEach(() => dir.remove());

const check = (toml: string, password?: string) => {
  writeFileSync(dir.file('waybill.toml'), toml);
  checkGatewayAccess(readConfig({ dir: dir.path, env: {} }), password);
};
const pair = 'certificate = "c.pem"\nkey = "k.pem"\n';

describe('a gateway that can be reached from elsewhere', () => {
  it('is a mistake without a password, or without TLS, told with file and line', () => {
    for (const host of ['0.0.0.0', '192.0.2.1', '[::]', '']) {
      const toml = `[gateway]\n# for all\nlisten = "${host}:2113"\n`;
      const place = `${dir.file('waybill.toml')}:3: gateway.listen`;
      expect(() => check(toml + pair)).toThrow(place);
      expect(() => check(toml + pair)).toThrow('there is no password');
      expect(() => check(toml, 'a line')).toThrow(place);
      expect(() => check(toml, 'a line')).toThrow('over TLS only');
      expect(() => check(toml + pair, 'a line')).not.toThrow();
    }
  });

  it('is no mistake on the loopback, or where there is none', () => {
    for (const listen of ['127.0.0.1:2113', '[::1]:2113', ''])
      expect(() => check(`[gateway]\nlisten = "${listen}"\n`)).not.toThrow();
    expect(() => check('[desk]\nenabled = false\n[gateway]\nlisten = ":2113"\n')).not.toThrow();
  });

  it('has certificate and key, or neither', () => {
    expect(() => check('[gateway]\nkey = "k.pem"\n')).toThrow(/certificate and key go together/);
  });
});
