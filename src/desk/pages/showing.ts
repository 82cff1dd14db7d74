/** How a page is shown: its frame says whose desk this is, who looks, and what is wrong just now. */
import type { Context } from 'hono';
import type { DeskEnv } from '../guard/gate.ts';
import type { DeskParts } from '../ports.ts';
import { page, type Frame } from './layout.ts';
import type { Html } from './words.ts';

export type Ask = Context<DeskEnv>;

/** `here`: the address of the page in the navigation, if it stands there. */
export type Show = (
  context: Ask,
  title: string,
  main: Html,
  here?: string,
) => Response | Promise<Response>;

/** What the pages' routes are made of. */
export type PageParts = DeskParts & { readonly show: Show };

export const showFor =
  (parts: DeskParts): Show =>
  (context, title, main, here) =>
    context.html(page(frameFor(parts, context, title, here), main));

export const frameFor = (parts: DeskParts, context: Ask, title: string, here?: string): Frame => ({
  ...{ title, identity: context.get('identity'), node: parts.settings.node },
  ...(here === undefined ? {} : { here }),
  ...outageFor(parts, here),
  extras: { ask: parts.questions !== undefined, whatIf: parts.otherwise !== undefined },
});

/** The overview says so itself. */
const outageFor = ({ outage }: DeskParts, here: string | undefined): { outage?: string } => {
  const out = outage?.();
  return out === undefined || here === '/' ? {} : { outage: out.words };
};
