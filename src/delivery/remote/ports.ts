/** What remote delivery needs to know and to be given. */
import type { Socket } from 'node:net';

export type RemoteSettings = {
  /** Our name in EHLO and HELO (`helohost`, else `me`). */
  readonly heloHost: string;
  /** How long a TCP connection may take to come up (`timeoutconnect`). */
  readonly timeoutConnectMs: number;
  /** How long the far side may be silent, and how long one reply may take (`timeoutremote`). */
  readonly timeoutRemoteMs: number;
  /** The address connections leave from (`outgoingip`); addresses of the other family are not tried. */
  readonly outgoingIp?: string;
  /** `opportunistic`: STARTTLS where offered, clear text where it fails; certificates are noted, not required. */
  readonly tls: 'opportunistic' | 'off';
  /** How long an unused connection is kept. */
  readonly idleMs: number;
  /** Letters one connection may carry. */
  readonly maxPerConnection: number;
  /** The ports our own doors listen on: an address of ours there is ourselves. */
  readonly listenPorts: readonly number[];
};

/** One place to try. */
export type Target = {
  /** The mail exchanger's name, or the address literal as it was written. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
};

export type DialOptions = {
  readonly timeoutMs: number;
  readonly localAddress?: string;
  readonly signal: AbortSignal;
};

/**
 * Opens a TCP connection; the socket comes paused. Rejects with an error whose `code` is `ETIMEDOUT`
 * when nobody answered in time, and any other when somebody, or our own machine, said no.
 */
export type Dial = (target: Target, options: DialOptions) => Promise<Socket>;
