/** A log as commands have it, whichever engine keeps it. */
import { afterAll, expect, it } from '@jest/globals';
import { withEventStore } from '../../src/cli/open-event-store.ts';
import { withLog, type OpenedLog } from '../../src/cli/open-log.ts';
import { openStandIn } from '../support/kurrent/open.ts';
import { tempDir } from '../support/temp-dir.ts';
import { openOffice } from '../trace/office.ts';

const dir = tempDir();
afterAll(() => dir.remove());

const unitOf = async ({ unit }: OpenedLog): Promise<string> => unit;

it('says how far a command is in events, and in an event store, where positions are bytes, in bytes', async () => {
  const office = await openOffice(0);
  expect(await withLog({ config: dir.path, data: office.path }, unitOf)).toBe('events');
  await office.remove();
  const { server, close } = await openStandIn();
  const store = { url: server.url(), credentialsFile: undefined, bodyDirectory: undefined };
  const places = { config: dir.path, data: dir.path };
  expect(await withEventStore(places, store, unitOf, () => undefined)).toBe('bytes');
  await close();
});
