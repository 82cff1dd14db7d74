/** What qmail-inject takes from its environment, put into values. Texts are byte strings. */
import type { Hosts } from './rewrite.ts';

export type Environment = { readonly [name: string]: string | undefined };

export type InjectSettings = {
  readonly hosts: Hosts;
  readonly idhost: string;
  readonly user: string;
  /** Absent: the default host. */
  readonly host: string | undefined;
  readonly fullName: string | undefined;
  readonly senderUser: string;
  readonly senderHost: string | undefined;
  readonly letters: InjectLetters;
};

/** The letters of QMAILINJECT. */
export type InjectLetters = {
  /** `c`: the generated From has its name in a comment. */
  readonly nameInComment: boolean;
  /** `s`: a Return-Path that comes along does not count. */
  readonly dropReturnPath: boolean;
  /** `f` and `i`: a From or Message-ID that comes along is replaced. */
  readonly dropFrom: boolean;
  readonly dropMessageId: boolean;
  /** `r`: each recipient gets a return path of its own; `m`: each letter does. */
  readonly verpRecipient: boolean;
  readonly verpMessage: boolean;
};

/** The control files, defaults filled in. */
export type InjectControls = Hosts & { readonly idhost: string };

export function injectSettings(env: Environment, controls: InjectControls): InjectSettings {
  const first = (...names: readonly string[]): string | undefined =>
    names.map((name) => env[name]).find((value) => value !== undefined);
  const user = claimedUser(env);
  const host = first('QMAILHOST', 'MAILHOST');
  const letters = env['QMAILINJECT'] ?? '';
  return {
    hosts: {
      defaulthost: env['QMAILDEFAULTHOST'] ?? controls.defaulthost,
      defaultdomain: env['QMAILDEFAULTDOMAIN'] ?? controls.defaultdomain,
      plusdomain: env['QMAILPLUSDOMAIN'] ?? controls.plusdomain,
    },
    idhost: env['QMAILIDHOST'] ?? controls.idhost,
    user,
    host,
    fullName: first('QMAILNAME', 'MAILNAME', 'NAME'),
    senderUser: env['QMAILSUSER'] ?? user,
    senderHost: env['QMAILSHOST'] ?? host,
    letters: {
      nameInComment: letters.includes('c'),
      dropReturnPath: letters.includes('s'),
      dropFrom: letters.includes('f'),
      dropMessageId: letters.includes('i'),
      verpRecipient: letters.includes('r'),
      verpMessage: letters.includes('m'),
    },
  };
}

/** Who the caller says that it is. Anybody may say anything here; the uid in `Received` is what counts. */
export const claimedUser = (env: Environment): string =>
  ['QMAILUSER', 'MAILUSER', 'USER', 'LOGNAME']
    .map((name) => env[name])
    .find((value) => value !== undefined) ?? 'anonymous';
