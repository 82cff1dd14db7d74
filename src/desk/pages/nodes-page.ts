/** The engines that share the log: who works, who fell silent, whose letters go where. */
import { html } from 'hono/html';
import type { Instant } from '../../platform/clock.ts';
import { formatSpan } from '../../trace/words.ts';
import type { NodeSeen, NodesSeen } from '../ports.ts';
import { list, number, shown, when, type Html } from './words.ts';

/** In a word or two, and its colour. What is said of silence is by the node's own clock. */
export function stateOfNode(
  { status, lease }: NodeSeen,
  now: Instant,
): { readonly words: string; readonly tone: string } {
  if (status === 'alone') return { words: 'alone', tone: 'good' };
  if (status === 'taken') return { words: 'ended', tone: 'quiet' };
  if (status === 'closed') return { words: 'stopped', tone: 'quiet' };
  if (status === 'gone') return { words: 'declared gone', tone: 'bad' };
  if (lease !== undefined && now - lease.heardAt > lease.ttlMs)
    return { words: 'silent', tone: 'bad' };
  return status === 'draining'
    ? { words: 'draining', tone: 'slow' }
    : { words: 'working', tone: 'good' };
}

export const nodesPage = ({ nodes, ofNobody, now }: NodesSeen & { readonly now: Instant }): Html =>
  html`<h1>Nodes</h1>
    <div
      id="live"
      hx-get="/nodes"
      hx-trigger="desk:tick, every 5s"
      hx-select="#live"
      hx-swap="outerMorph"
      hx-sync="this:drop"
    >
      <p class="told" role="status">
        ${nodes.some(({ status }) => status === 'alone') ? 'One engine has the log to itself.' : told(nodes, now)}
      </p>
      ${nodes.length === 0 ? html`<p class="nothing">No engine has written to this log yet.</p>` : table(nodes, now)}
      ${ofNobody === 0 ? '' : html`<p class="told">${number(ofNobody)} ${ofNobody === 1 ? 'letter is' : 'letters are'} nobody’s yet.</p>`}
    </div>`;

function told(nodes: readonly NodeSeen[], now: Instant): string {
  const working = nodes.filter((node) => stateOfNode(node, now).words === 'working').length;
  const letters = nodes.reduce((sum, each) => sum + each.letters, 0);
  return `${working} ${working === 1 ? 'node works' : 'nodes work'} on this log; ${number(letters)} ${letters === 1 ? 'letter is' : 'letters are'} not done.`;
}

const table = (nodes: readonly NodeSeen[], now: Instant): Html =>
  list(
    ['Node', 'State', 'Letters', 'Heard', 'Since', 'What became of it'],
    nodes.toReversed().map((node) => row(node, nodes, now)),
  );

function row(seen: NodeSeen, nodes: readonly NodeSeen[], now: Instant): Html {
  const { node, status, letters, openedAt, lease } = seen;
  const { words, tone } = stateOfNode(seen, now);
  return html`<tr>
    <td data-name="Node">
      <bdi>${shown(node, 100)}</bdi>
      ${lease === undefined ? '' : html`<br /><small class="id" title="${lease.incarnation}">…${shown(lease.incarnation.slice(-12))}</small>`}
    </td>
    <td data-name="State"><span class="stamp ${tone}">${words}</span></td>
    <td data-name="Letters">${number(letters)}</td>
    <td data-name="Heard">${lease === undefined ? '–' : heard(lease, status, now)}</td>
    <td data-name="Since">${openedAt === undefined ? '–' : when(openedAt, now)}</td>
    ${lease?.taken === undefined ? html`<td></td>` : html`<td data-name="Became">${became(lease, letters, nodes)}</td>`}
  </tr>`;
}

/** Of a lease that is still held: and how long it may say nothing. */
const heard = (
  { heardAt, ttlMs }: NonNullable<NodeSeen['lease']>,
  status: NodeSeen['status'],
  now: Instant,
): Html =>
  status === 'open' || status === 'draining'
    ? html`${when(heardAt, now)} <small>of ${formatSpan(ttlMs)}</small>`
    : when(heardAt, now);

const whyWords: { readonly [why: string]: string } = {
  silent: 'it fell silent',
  closed: 'it stopped',
  restarted: 'it began anew',
  gone: 'an operator said that it is gone',
};

function became(
  { taken, heir }: NonNullable<NodeSeen['lease']>,
  letters: number,
  nodes: readonly NodeSeen[],
): Html {
  if (taken === undefined) return html``;
  const nameOf = (incarnation: string): string => {
    const known = nodes.find((each) => each.lease?.incarnation === incarnation)?.node;
    return shown(known ?? `…${incarnation.slice(-12)}`, 100);
  };
  const left = letters === 0 ? '' : `; its letters are on their way to ${nameOf(heir)}`;
  return html`taken over by <bdi>${nameOf(taken.by)}</bdi>:
    ${whyWords[taken.why] ?? shown(taken.why, 80)}${left}`;
}
