/** What control files say together that their operator hardly means. */
import type { ControlName, Controls } from './settings.ts';
import { acceptsRecipient } from './rcpthosts.ts';

export type Advice = { readonly file: ControlName; readonly message: string };

export const adviseOnControls = (controls: Controls): readonly Advice[] => [
  ...refusedLocals(controls),
  ...shadowedVirtuals(controls),
  ...openHacks(controls),
];

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
