/** That the gateway can be reached from elsewhere only with a password, and over TLS. */
import { join } from 'node:path';
import { isLoopback } from '../mail/ip-address.ts';
import { ControlMistake } from '../mail/trouble.ts';
import type { Config } from './config.ts';
import { lineOfSetting } from './toml-lines.ts';

/** `password`: the desk's, as `readDeskPassword` gives it. Throws `ControlMistake`. */
export function checkGatewayAccess(
  { gateway: { listen, tls }, desk, dir }: Pick<Config, 'gateway' | 'desk' | 'dir'>,
  password: string | undefined,
): void {
  if (!desk.enabled || listen === undefined || isLoopback(listen.host)) return;
  if (password !== undefined && tls !== undefined) return;
  const file = join(dir, 'waybill.toml');
  const missing =
    password === undefined
      ? 'there is no password: run `waybill desk password` first'
      : 'clients send a password over TLS only: give certificate and key';
  throw new ControlMistake(
    file,
    lineOfSetting(file, ['gateway', 'listen']),
    `gateway.listen: ${listen.host} can be reached from elsewhere, and ${missing}, or listen on 127.0.0.1`,
  );
}
