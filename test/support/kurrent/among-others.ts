/**
 * The stand-in as a real server mostly is: the older release that takes the least, behind TLS and a password,
 * with another application's events in it and projections that link to every event.
 */
import { selfSigned } from '../certificate.ts';
import { StandIn } from './stand-in.ts';
import { Store } from './store.ts';

const { cert, key } = selfSigned('127.0.0.1');

export async function startAmongOthers(): Promise<StandIn> {
  const store = new Store({ projects: true });
  const foreign = { type: 'Foreign', isJson: true, data: Buffer.from('{}') };
  for (let n = 0; n < 40; n += 1) {
    const event = { ...foreign, id: crypto.randomUUID(), metadata: Buffer.alloc(0) };
    store.append(`elsewhere-${n % 3}`, 'any', [event]);
  }
  const tls = { certificate: Buffer.from(cert), key: Buffer.from(key) };
  return new StandIn({ store, tls, login: 'waybill:changeit', version: '24.10.4' }).start();
}
