/** What control files say together that their operator hardly means. */
import type { ControlName, Controls } from './settings.ts';
import { acceptsRecipient } from './rcpthosts.ts';

export type Advice = { readonly file: ControlName; readonly message: string };

export const adviseOnControls = (controls: Controls): readonly Advice[] => [
  ...oddNames(controls),
  ...refusedLocals(controls),
  ...shadowedVirtuals(controls),
  ...openHacks(controls),
];

/** A name as servers say it to one another, or an address in brackets (RFC 5321 §4.1.2, and the underscore). */
const hostName = /^(?:[\w-]+(?:\.[\w-]+)*|\[[0-9A-Za-z.:-]+\])$/;

/** An empty file is an empty name, as with qmail; far servers may refuse every letter for it. */
const oddNames = ({ me, helohost }: Controls): readonly Advice[] => [
  ...(me === undefined || hostName.test(me) ? [] : [oddName('me', me)]),
  ...(helohost === me || hostName.test(helohost) ? [] : [oddName('helohost', helohost)]),
];

const oddName = (file: ControlName, name: string): Advice => ({
  file,
  message: name === '' ? 'empty: other servers want a name' : `no name of a host: "${name}"`,
});

/** Strangers cannot reach a domain that lives here. */
const refusedLocals = (controls: Controls): readonly Advice[] =>
  [...controls.locals]
    .filter((domain) => acceptsRecipient(`x@${domain}`, controls) === undefined)
    .map((domain) => ({
      file: 'rcpthosts',
      message: `${domain} is in locals, but not here: strangers are refused`,
    }));

const shadowedVirtuals = ({ locals, virtualdomains }: Controls): readonly Advice[] =>
  [...virtualdomains.keys()]
    .filter((key) => locals.has(key))
    .map((key) => ({
      file: 'virtualdomains',
      message: `${key} is in locals, too, which wins: the line has no effect`,
    }));

/** The doors look at the domain before the hack, routing at the one behind it. */
const openHacks = ({ rcpthosts, percenthack }: Controls): readonly Advice[] =>
  [...percenthack]
    .filter((domain) => rcpthosts?.has(domain))
    .map((domain) => ({
      file: 'percenthack',
      message: `strangers may relay through user%host@${domain}, as rcpthosts lets it in`,
    }));
