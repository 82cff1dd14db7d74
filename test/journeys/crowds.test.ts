/** Doors with hundreds of clients who hold a place and send nothing, or a byte a second. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { openFilesLimit } from '../../src/platform/open-files.ts';
import { dripping, farewells, loiter, type Loiterer } from '../support/crowd.ts';
import { makeEngine, type Engine } from '../support/engine.ts';
import { handIn } from '../support/smtp-talk.ts';
import { until } from '../support/until.ts';

const files = openFilesLimit() ?? Infinity;
/** The clients are sockets of this process, too. */
const many = files > 3_000 ? 1_500 : 400;

let engine: Engine | undefined;
let crowd: readonly Loiterer[] = [];

afterEach(async () => {
  for (const { leave } of crowd) leave();
  await engine?.remove();
  crowd = [];
});

type Door = { readonly [setting: string]: string };

/** Strangers only, and all of them from one address. */
async function openEngine(door: Door): Promise<Engine> {
  const settings = { max_connections_per_ip: '0', ...door };
  engine = await makeEngine({
    control: { 'tcp.smtp': ':allow\n' },
    env: Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [`WAYBILL_DOOR_${key.toUpperCase()}`, value]),
    ),
  });
  await engine.start();
  return engine;
}

/** Longest of so many letters handed in one after the other, in milliseconds. */
async function slowestOf(letters: number, { port }: Engine): Promise<number> {
  let slowest = 0;
  for (let n = 0; n < letters; n += 1) {
    const from = performance.now();
    const reply = await handIn(port, {
      from: 'you@far.test',
      to: ['demo@demo.test'],
      body: `Subject: ${n}\r\n\r\nHello.\r\n`,
    });
    expect(reply).toMatch(/^250 /);
    slowest = Math.max(slowest, performance.now() - from);
  }
  return slowest;
}

const stays = ({ stayedMs }: Loiterer): boolean => stayedMs() === undefined;

describe.each([1, 2])(
  `with ${many} idle clients and 50 that drip, at %i door processes`,
  (doors) => {
    it('new mail is taken, and none of them stays', async () => {
      const here = await openEngine({
        ...{ processes: String(doors), max_connections: '4000' },
        ...{ idle_timeout_s: '6', busy_timeout_s: '2' },
      });
      const idle = await loiter(here.port, many);
      const drips = [
        ...(await loiter(here.port, 25, dripping('command'))),
        ...(await loiter(here.port, 25, dripping('letter'))),
      ];
      crowd = [...idle, ...drips];
      // A slow machine may have sent the first home before the last came.
      expect(crowd.filter(stays).length).toBeGreaterThan(many / 8);
      const slowest = await slowestOf(20, here);
      process.stdout.write(`slowest of 20 letters: ${slowest.toFixed(0)} ms\n`);
      await until(() => !crowd.some(stays), 'everybody sent home');
      expect(farewells(idle)).toEqual({ '451 4.4.2': many });
      expect(Math.min(...idle.map(({ stayedMs }) => stayedMs()!))).toBeGreaterThan(5_900);
      expect(farewells(drips)).toEqual({ '451 4.4.2': 50 });
      await until(() => here.maildir('demo').length === 20, 'the letters');
    });
  },
);

describe('in a door with fewer places than idle clients', () => {
  it('new mail is taken all the same: whoever is idle longest goes for it', async () => {
    const here = await openEngine({ max_connections: '300' });
    for (const round of [1, 2]) {
      crowd = [...crowd, ...(await loiter(here.port, 300))];
      // Who has just come is about to speak, and nobody is sent home for another.
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await slowestOf(20, here);
      await until(() => here.maildir('demo').length === 20 * round, 'the letters');
    }
    const { '421 4.3.2': sentHome = 0, ...others } = farewells(crowd);
    expect(sentHome).toBeGreaterThanOrEqual(300);
    expect(others).toEqual({});
  });

  it('a drip of a letter does not keep it full either', async () => {
    const here = await openEngine({ max_connections: '40', busy_timeout_s: '1' });
    crowd = await loiter(here.port, 40, dripping('letter', 200));
    await until(() => crowd.filter(stays).length <= 30, 'a quarter sent home');
    expect(Math.min(...crowd.map(({ stayedMs }) => stayedMs() ?? Infinity))).toBeGreaterThan(2_000);
    await slowestOf(5, here);
    expect(Object.keys(farewells(crowd))).toEqual(['421 4.3.2']);
  });
});

describe('with more connections wanted than files may be open', () => {
  const enough = files > 1_000_128;
  const why = enough ? ' (skipped: as many files may be open here)' : '';
  (enough ? it.skip : it)(
    `the engine says so, and takes what it can${why}`,
    async () => {
      const here = await openEngine({ max_connections: '1000000' });
      expect(here.output()).toMatch(/1000000 connections need 1000128 open files in each door/);
      await slowestOf(1, here);
    },
    240_000,
  );
});
