/**
 * Why an event store does not answer, host by host: the half of the client that reads loses the words, and the
 * other one tries in silence. Asked by a person's check; connects to each host, and speaks TLS where that is meant.
 */
import { readFileSync } from 'node:fs';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Address } from '../../control/event-store-address.ts';
import { safeLine } from '../../mail/sanitize.ts';

/** As `toAddress` writes it: keys as the client knows them, files by their whole names. */
const pattern = /^\w+(?:\+discover)?:\/\/([^/?]+)\?(.*)$/;
const usualPort = 2113;

/** `limitMs`: each host is given so long. One line. */
export async function whyNobodyAnswers({ url }: Address, limitMs = 3_000): Promise<string> {
  const [, hosts = '', query = ''] = pattern.exec(url) ?? [];
  const settings = new URLSearchParams(query);
  const told = await Promise.all(
    hosts.split(',').map(async (host) => {
      const why = await whyNot(host, settings, limitMs).catch((cause: Error) =>
        cause.message.replace(advice, ''),
      );
      return { host, why };
    }),
  );
  const whys = [...new Set(told.map(({ why }) => why))];
  return whys
    .map((why) => {
      const those = told.filter((each) => each.why === why).map(({ host }) => host);
      return `${those.join(', ')}: ${why === undefined ? nobodyServes : safeLine(why, 200)}`;
    })
    .join('; ');
}

const nobodyServes =
  'answers, and serves nobody now: it has no leader, has only begun, or is no event store';
/** Of node, for those who start it themselves. */
const advice = /; if the root CA is installed locally.*$/s;

async function whyNot(
  host: string,
  settings: URLSearchParams,
  limitMs: number,
): Promise<string | undefined> {
  const where = placeOf(host);
  const isPlain = settings.get('tls') === 'false';
  const socket = isPlain
    ? connectPlain(where)
    : connectTls({ ...where, ...tlsOptions(where.host, settings) });
  try {
    await opened(socket, isPlain ? 'connect' : 'secureConnect', limitMs);
    return undefined;
  } finally {
    socket.destroy();
  }
}

/** Whether any of its hosts takes a connection now. */
export async function isAnybodyThere({ url }: Address, limitMs = 1_000): Promise<boolean> {
  const [, hosts = ''] = pattern.exec(url) ?? [];
  const tries = hosts.split(',').map(async (host) => {
    const socket = connectPlain(placeOf(host));
    try {
      await opened(socket, 'connect', limitMs);
    } finally {
      socket.destroy();
    }
  });
  return Promise.any(tries).then(
    () => true,
    () => false,
  );
}

function placeOf(host: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain = '', port = usualPort] =
    /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(host) ?? [];
  return { host: bracketed ?? plain, port: Number(port) };
}

function tlsOptions(host: string, settings: URLSearchParams): ConnectionOptions {
  const read = (key: string) => {
    const file = settings.get(key);
    return file === null ? undefined : readFileSync(file);
  };
  const [ca, cert, key] = [read('tlsCAFile'), read('userCertFile'), read('userKeyFile')];
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(isIP(host) === 0 && { servername: host }),
    ALPNProtocols: ['h2'],
    rejectUnauthorized: settings.get('tlsVerifyCert') !== 'false',
  };
}

function opened(socket: Socket, event: string, limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(limitMs, () => reject(new Error(`no answer within ${limitMs} ms`)));
    socket.once(event, () => resolve()).once('error', reject);
  });
}
