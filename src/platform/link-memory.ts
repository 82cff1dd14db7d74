/** Two ends of a link within one process, for tests and for the edition without processes. */
import { duplexPair } from 'node:stream';
import { openLink, type Handlers, type Link } from './link.ts';

export function linkPair(left: Handlers, right: Handlers): [Link, Link] {
  const [a, b] = duplexPair();
  return [openLink(a, left), openLink(b, right)];
}
