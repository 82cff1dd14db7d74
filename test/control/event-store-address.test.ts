import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readConfig } from '../../src/control/config.ts';
import { mistakeIn, toAddress, withoutSecrets } from '../../src/control/event-store-address.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

describe('the address of an event store', () => {
  let dir: TempDir;
  beforeEach(() => {
    dir = tempDir();
  });
  afterEach(() => dir.remove());
  const addressOf = (url: string, credentialsFile?: string) =>
    toAddress({ url, credentialsFile, directory: '/etc/waybill' });
  const address = (url: string) => addressOf(url).url;
  const ours = 'discoveryInterval=50&defaultDeadline=86400000';

  it.each([
    'kurrentdb://db:2113?tls=true',
    'esdb://a:1,b:2,c:3',
    'kurrentdb+discover://cluster.test',
    'kdb://me:secret@db',
    'kurrent://db/?nodePreference=leader',
  ])('may be %s', (url) => {
    expect(mistakeIn(url)).toBeUndefined();
  });

  it.each([
    ['', 'not an address'],
    ['db:2113', 'not an address'],
    ['http://db:2113', 'not an address'],
    ['kurrentdb://', 'not an address'],
    ['kurrentdb://db?gossipTimeout=5', 'gossipTimeout must not be set'],
    ['kurrentdb://db?gossip_timeout=5', 'gossip_timeout must not be set'],
    ['kurrentdb://db?ThrowOnAppendFailure=false', 'ThrowOnAppendFailure must not be set'],
    ['kurrentdb://me:secret@db?tls=false', 'without TLS'],
    ['kurrentdb://me:5%@db', 'written %25'],
    ['kurrentdb://db?node-preference=follower', 'node-preference must be leader'],
  ])('is not %j', (url, why) => {
    expect(mistakeIn(url)).toContain(why);
    expect(() => address(url)).toThrow(why);
  });

  it('is completed: the first read does not wait, and no clock that is wrong refuses an append', () => {
    expect(address('kurrentdb://db:2113')).toBe(`kurrentdb://db:2113?${ours}`);
    expect(address('kurrentdb://db?discovery_interval=7&DefaultDeadline=9')).toBe(
      'kurrentdb://db?discoveryinterval=7&DefaultDeadline=9',
    );
  });

  it('is written as both halves of the client read it, and as neither complains', () => {
    expect(address('esdb+discover://db?tls-verify_cert=false')).toBe(
      `kurrentdb+discover://db?${ours}&tlsverifycert=false`,
    );
  });

  it('has its files start at the directory of the configuration', () => {
    expect(address('kurrentdb://db?tlsCAFile=ca.pem&userKeyFile=/k.pem')).toBe(
      `kurrentdb://db?${ours}&tlsCAFile=%2Fetc%2Fwaybill%2Fca.pem&userKeyFile=%2Fk.pem`,
    );
  });

  it('takes name and password from a file, whatever they are made of', () => {
    const secret = dir.file('secret');
    writeFileSync(secret, 'ops:p@ss/w:rd?&=\nmore\n');
    expect(addressOf('kurrentdb://db', secret)).toEqual({
      url: `kurrentdb://db?${ours}`,
      credentials: { username: 'ops', password: 'p@ss/w:rd?&=' },
      credentialsFile: secret,
    });
    expect(addressOf('kurrentdb://me:p%40s:s@db').credentials).toEqual({
      ...{ username: 'me', password: 'p@s:s' },
    });
    writeFileSync(secret, 'no colon');
    expect(() => addressOf('kurrentdb://db', secret)).toThrow('user:password');
    expect(() => addressOf('kurrentdb://db', dir.file('missing'))).toThrow('ENOENT');
    writeFileSync(secret, 'a:b');
    expect(() => addressOf('kurrentdb://db?tls=false', secret)).toThrow('without TLS');
  });

  it('is told without its secrets', () => {
    expect(withoutSecrets('kurrentdb://me:secret@db:1,e:2?tls=true')).toBe(
      'kurrentdb://db:1,e:2?tls=true',
    );
    expect(withoutSecrets('kurrentdb://db:1?tlsCaFile=/etc/a@b.pem')).toContain('db:1?');
    // What is no address is told, too, and a password may be why it is none.
    for (const secret of ['me:sec/ret', 'me:sec?ret', 'me:s@ecret'])
      expect(withoutSecrets(`kurrentdb://${secret}@db:1`)).toBe('kurrentdb://db:1');
  });
});

describe('the settings of an event store', () => {
  let dir: TempDir;
  beforeEach(() => {
    dir = tempDir();
  });
  afterEach(() => dir.remove());
  const config = (text: string, env: { readonly [name: string]: string } = {}) => {
    writeFileSync(dir.file('waybill.toml'), text);
    return readConfig({ dir: dir.file('.'), env }).log;
  };

  it('come from the file or from the environment, their files from the configuration directory', () => {
    const text = '[log]\nengine = "kurrentdb"\nurl = "esdb://db:2113"\nbody_directory = "/mnt/b"\n';
    const env = { WAYBILL_LOG_URL: 'esdb://other', WAYBILL_LOG_CREDENTIALS_FILE: 'secret' };
    expect(config(text, env)).toMatchObject({
      engine: 'kurrentdb',
      eventStore: {
        url: 'esdb://other',
        credentialsFile: join(dir.file('.'), 'secret'),
        bodyDirectory: '/mnt/b',
      },
    });
  });

  it.each([
    ['[log]\nengine = "kurrentdb"\n', /waybill.toml:1: log: engine "kurrentdb" needs url/],
    ['[log]\nurl = "http://db"\n', /waybill.toml:2: log.url: not an address/],
  ])('that cannot be obeyed are a mistake with its line: %j', (text, why) => {
    expect(() => config(text)).toThrow(why);
  });

  it('are nobody’s where another engine is chosen', () => {
    expect(config('[log]\nurl = "esdb://db"\n').eventStore).toBeUndefined();
  });
});
