/** The first thing a newcomer sees: where everything is, and what to try; no line wider than a terminal. */
import { relative, resolve } from 'node:path';
import { deskUrl } from '../desk/places.ts';

export type Welcome = {
  readonly me: string;
  /** A domain that is delivered here. */
  readonly local: string;
  readonly listening: readonly {
    readonly kind: string;
    readonly endpoint: { readonly host: string; readonly port: number };
  }[];
  readonly config: string;
  readonly data: string;
  /** Whether root started the engine: the web page then knows nobody by his account. */
  readonly byRoot: boolean;
};

export function welcomeWords({ me, local, listening, config, data, byRoot }: Welcome): string {
  const here = (path: string) => relative(process.cwd(), path) || '.';
  const places = listening.map(({ kind, endpoint: { host, port } }) =>
    kind === 'desk'
      ? `  web page   ${deskUrl(host, port)}`
      : `  ${kind.padEnd(10)} ${host}:${port}`,
  );
  const smtp = listening.find(({ kind }) => kind === 'smtp')?.endpoint;
  const server = smtp === undefined ? '127.0.0.1:2525' : `${smtp.host}:${smtp.port}`;
  const link = '  # come in to the web page\n  npm run -s waybill -- desk link\n';
  return `
Waybill is running as ${me}.

${places.join('\n')}
  config     ${here(config)}
  data       ${here(data)}  (mailboxes in ${here(resolve(data, 'mail'))})

Try, in another terminal:

  # deliver a letter into a Maildir
  swaks --server ${server} --from you@example.org --to demo@${local}
  # send one that must wait
  swaks --server ${server} --from demo@${local} --to you@nowhere.test
  # see what waits, and why
  npm run -s waybill -- queue
${byRoot && listening.some(({ kind }) => kind === 'desk') ? link : ''}
Ctrl-C stops it; every letter it said 250 to is safe.

`;
}
