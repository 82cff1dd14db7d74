/** What SIGHUP changes of `waybill.toml`, and what takes a restart. Pure: the texts are read already. */
import type { ConfigText } from './config-table.ts';

type Keys = { readonly [S in keyof ConfigText]?: readonly (keyof ConfigText[S])[] };

/** All others are obeyed from the next start on: sockets, accounts, the log and who reads it. */
export const obeyedAtOnce = {
  door: [
    ...(['max_connections', 'max_connections_per_ip', 'idle_timeout_s', 'busy_timeout_s'] as const),
    ...(['min_bytes_per_second', 'greeting_delay_ms', 'bare_newlines', 'max_recipients'] as const),
    ...(['max_fruitless', 'refusals_per_minute'] as const),
  ],
  tls: ['certificate', 'key'],
  local: [
    ...(['default_delivery', 'program_timeout_s', 'program_processes'] as const),
    ...(['maildir_quota', 'over_quota'] as const),
  ],
  remote: ['tls', 'idle_ms', 'max_per_connection'],
  stderr: ['level'],
} as const satisfies Keys;

export type Reload = {
  /** The newly read text as far as a running engine can obey it. */
  readonly text: ConfigText;
  /** `door.max_recipients`: those that count from now on. */
  readonly obeyed: readonly string[];
  /** Those that do not before the next start. */
  readonly waiting: readonly string[];
};

type Section = Readonly<Record<string, unknown>>;

/** `before` is what is obeyed now: what waits for a restart stays as it was there, and is named again next time. */
export function reloadOf(before: ConfigText, read: ConfigText): Reload {
  const obeyed: string[] = [];
  const waiting: string[] = [];
  const sections = Object.entries(read).map(([name, section]): [string, Section] => {
    const old = before[name as keyof ConfigText] as Section;
    const keys = Object.entries(section as Section).map(([key, value]): [string, unknown] => {
      if (JSON.stringify(old[key]) === JSON.stringify(value)) return [key, value];
      const isObeyed = canObey(name, key) && (name !== 'tls' || hasTls(before) === hasTls(read));
      (isObeyed ? obeyed : waiting).push(`${name}.${key}`);
      return [key, isObeyed ? value : old[key]];
    });
    return [name, Object.fromEntries(keys)];
  });
  return { text: Object.fromEntries(sections) as ConfigText, obeyed, waiting };
}

const canObey = (section: string, key: string): boolean =>
  (obeyedAtOnce as Readonly<Record<string, readonly string[]>>)[section]?.includes(key) === true;

/** Another certificate is shown at once; doors that had none do not begin to offer TLS. */
const hasTls = ({ tls }: ConfigText): boolean => tls.certificate !== '';
