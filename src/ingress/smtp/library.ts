/** What smtp-server's connections want of their server, TLS above all; it never listens. */
import { SMTPServer } from 'smtp-server';
import type { SmtpSettings } from './settings.ts';

/** Those that may change while a door is open. */
export const libraryLimits = ({ timeoutMs, maxConnections }: SmtpSettings) => ({
  ...{ socketTimeout: timeoutMs, maxClients: maxConnections },
});

export function toLibrary(settings: SmtpSettings): SMTPServer {
  const { tls } = settings;
  return new SMTPServer({
    ...{ logger: false, disableReverseLookup: true, authOptional: true },
    ...libraryLimits(settings),
    // smtp-server would go down to TLS 1.0 (RFC 8996).
    ...{ minVersion: 'TLSv1.2' as const },
    ...(tls && { key: tls.key, cert: tls.cert, secure: tls.implicit === true }),
  });
}
