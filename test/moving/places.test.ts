import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { toCopyPlace } from '../../src/cli/log-copy-places.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

let dir: TempDir;
beforeEach(() => {
  dir = tempDir();
  mkdirSync(dir.file('control'));
});
afterEach(() => dir.remove());

/** The engine that is configured is still the old one. */
const configured = (text: string): void =>
  writeFileSync(dir.file('waybill.toml'), `[log]\nengine = "sqlite"\n${text}`);
const place = (text: string, besides = {}) =>
  toCopyPlace(text, besides, { config: dir.path, data: dir.file('data') });

describe('a place to move a log to', () => {
  it('is the data directory, or another one', () => {
    expect(place('sqlite')).toEqual({ kind: 'sqlite', directory: dir.file('data') });
    expect(place('sqlite:/a/b')).toEqual({ kind: 'sqlite', directory: '/a/b' });
  });

  it('is the configured event store, with its password and its directory, by name or by its hosts', () => {
    configured(
      'url = "kurrentdb://db1,db2:2113?tls=true"\ncredentials_file = "secret"\nbody_directory = "/bodies"\n',
    );
    const store = { credentialsFile: dir.file('secret'), bodyDirectory: '/bodies' };
    for (const text of ['kurrentdb', 'kurrentdb://DB2:2113,db1:2113', 'kurrentdb:esdb://db1,db2']) {
      expect(place(text)).toMatchObject({ kind: 'kurrentdb', place: store });
    }
    expect(place('kurrentdb', { credentials: '/other', bodies: '/elsewhere' })).toMatchObject({
      place: { credentialsFile: '/other', bodyDirectory: '/elsewhere' },
    });
  });

  it('is another event store, which never hears the configured password', () => {
    configured('url = "kurrentdb://db1"\ncredentials_file = "secret"\n');
    const other = place('kurrentdb://db9?tls=true');
    expect(other).toMatchObject({ place: { url: 'kurrentdb://db9?tls=true' } });
    expect(other).not.toHaveProperty('place.credentialsFile', expect.anything());
  });
});
