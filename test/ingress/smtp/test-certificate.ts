/** A key and a certificate that prove nothing: smtp-server's own, whose key the whole world has. */
import tlsOptions from 'smtp-server/lib/tls-options.js';

const { key, cert } = tlsOptions({}) as { readonly key: string; readonly cert: string };

export const testCertificate = { key, cert };
