/** Where a recipient would have gone, and who would have had it. Asks `queue/routing.ts`. */
import type { Address } from '../mail/envelope.ts';
import type { Route } from '../queue/events.ts';
import { route } from '../queue/routing.ts';
import { formatWay } from '../trace/story.ts';
import { linesOf } from '../trace/rules-of-the-day.ts';
import type { Side } from './differences.ts';
import type { Home } from './ports.ts';
import type { RuleSet } from './rule-set.ts';

export const routeBy = (address: Address, { routing }: RuleSet): Route => route(address, routing);

/** The same way, whichever line says so. */
export const isSameWay = (a: Route, b: Route): boolean =>
  a.channel === b.channel &&
  a.address === b.address &&
  a.hop.host === b.hop.host &&
  a.hop.relay?.host === b.hop.relay?.host &&
  a.hop.relay?.port === b.hop.relay?.port;

export const routeSide = (way: Route, files: RuleSet['files'] | undefined): Side => ({
  what: way.channel === 'local' ? `local ${way.address}` : formatWay(way),
  lines: linesOf(way.rule, files),
  route: { channel: way.channel, hop: way.hop, address: way.address },
});

export const isSameHome = (a: Home, b: Home): boolean =>
  a.user === b.user &&
  a.home === b.home &&
  a.ext === b.ext &&
  a.receives === b.receives &&
  a.text === b.text;

export function homeSide({ by = '', user, home, ext, receives, file, text = '' }: Home): Side {
  const none = receives ? '' : ', nobody home';
  const extension = ext === '' ? '' : ` with the extension ${ext}`;
  const what = `user ${user} in ${home}${extension}${none}`;
  if (file !== undefined) return { what, lines: [{ file, line: undefined, text }] };
  const [, name = by, line, start = ''] = /^([^: ]+)(?::(\d+))?(?: (.*))?$/.exec(by) ?? [];
  const number = line === undefined ? undefined : Number(line);
  return { what, lines: name === '' ? [] : [{ file: name, line: number, text: start }] };
}
