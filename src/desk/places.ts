/** Where the desk is, and where its token lies. */

/** Relative to the data directory. Read by its owner, and by root: whoever can has the desk. */
export const tokenFile = 'desk/token';

/** The desk's address as a person types it. */
export function deskUrl(host: string, port: number): string {
  const name = host === '::' || host === '0.0.0.0' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}/`;
}
