/** A real SMTP door on loopback, in front of an intake in memory. */
import type { AddressInfo } from 'node:net';
import type net from 'node:net';
import { FoldedMap, FoldedSet } from '../../../src/control/folded.ts';
import { acceptsRecipient } from '../../../src/control/rcpthosts.ts';
import type { DoorRules } from '../../../src/ingress/accept.ts';
import type { Refusals } from '../../../src/ingress/ports.ts';
import { smtpDoor } from '../../../src/ingress/smtp/door.ts';
import type { SmtpDoor, SmtpDoorParts } from '../../../src/ingress/smtp/door.ts';
import { defaultSmtpSettings } from '../../../src/ingress/smtp/settings.ts';
import type { SmtpSettings } from '../../../src/ingress/smtp/settings.ts';
import { ManualClock } from '../../../src/platform/clock.ts';
import { until as itIsSo } from '../../support/until.ts';
import { MemoryIntake } from '../memory-intake.ts';
import { Dialogue } from './dialogue.ts';

export const emptyControls = {
  locals: new FoldedSet(),
  morercpthosts: new FoldedSet(),
  percenthack: new FoldedSet(),
  virtualdomains: new FoldedMap<string>(),
};

export const rcptHosts = (...hosts: string[]): DoorRules['rcpthosts'] => {
  const rules = { ...emptyControls, rcpthosts: new FoldedSet(hosts) };
  return (recipient) => acceptsRecipient(recipient, rules) !== undefined;
};

export const rules = (changes: Partial<DoorRules> = {}): DoorRules => ({
  me: 'mx.demo.test',
  greeting: 'mx.demo.test',
  badmailfrom: new FoldedSet(),
  rcpthosts: rcptHosts('demo.test'),
  databytes: 0,
  isOwnIp: (ip) => ip === '127.0.0.1',
  ...changes,
});

export type Choices = {
  readonly settings?: Partial<SmtpSettings>;
  readonly rules?: Partial<DoorRules>;
  readonly env?: Readonly<Record<string, string>>;
  readonly parts?: Partial<SmtpDoorParts>;
  /** Who lives in demo.test; everything else is remote. */
  readonly residents?: readonly string[];
};

export type OpenDoor = {
  readonly door: SmtpDoor;
  readonly server: net.Server;
  readonly port: number;
  readonly intake: MemoryIntake;
  readonly clock: ManualClock;
  readonly refusals: Parameters<Refusals['note']>[0][];
  readonly reports: unknown[];
  dial(): Promise<Dialogue>;
  /** Connected, greeted and introduced. */
  greeted(): Promise<Dialogue>;
};

const open: OpenDoor[] = [];

export async function openDoor(choices: Choices = {}): Promise<OpenDoor> {
  const intake = new MemoryIntake();
  const clock = new ManualClock(Date.UTC(2026, 10, 20, 23, 48, 1));
  const refusals: OpenDoor['refusals'] = [];
  const reports: unknown[] = [];
  const homes = new Set((choices.residents ?? ['joe', 'ann']).map((who) => `${who}@demo.test`));
  const env = new Map(Object.entries(choices.env ?? {}));
  const door = smtpDoor({
    ...{ intake, clock, settings: { ...defaultSmtpSettings, ...choices.settings } },
    rules: () => rules(choices.rules),
    clientRules: () => ({ allow: true, env }),
    route: (address) => ({ channel: /@demo\.test$/i.test(address) ? 'local' : 'remote', address }),
    directory: { receives: (address) => Promise.resolve(homes.has(address)) },
    refusals: { note: (refusal) => refusals.push(refusal) },
    report: (what, cause) => reports.push([what, cause]),
    ...choices.parts,
  });
  const server = await door.listen({ host: '127.0.0.1', port: 0 });
  const { port } = server.address() as AddressInfo;
  const dial = () => Dialogue.dial(port);
  const greeted = async () => {
    const client = await dial();
    await client.reply();
    await client.ask('EHLO client.test');
    return client;
  };
  const opened = { door, server, port, intake, clock, refusals, reports, dial, greeted };
  open.push(opened);
  return opened;
}

/** For `afterEach`: nobody may linger. */
export async function closeDoors(): Promise<void> {
  for (const { door, clock } of open.splice(0)) {
    const drained = door.drain();
    await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 5; i += 1) {
      clock.advance(60_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await drained;
  }
}

/** Waits until something is so. */
export const until = async (what: () => boolean): Promise<void> =>
  void (await itIsSo(what, what.toString()));
