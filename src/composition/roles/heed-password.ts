/** Another password of the desk counts at once: `start`, which alone may read it, looks at its file every second. */
import { unwatchFile, watchFile } from 'node:fs';
import type { Config } from '../../control/config.ts';
import { wordsOf, type Logger } from '../../platform/logger.ts';
import { withPasswordOf, type Handed } from './handed.ts';
import { hasDesk } from './role-users.ts';

const everyMs = 1_000;

export type PasswordParts = {
  readonly config: Config;
  /** What is handed down now. */
  readonly handed: () => Handed;
  readonly tell: (handed: Handed) => void;
  readonly logger: Logger;
};

/** Returns how to look no more. With a mistake in the file the old one stays. */
export function heedPassword({ config, handed, tell, logger }: PasswordParts): () => void {
  if (!hasDesk(config)) return () => undefined;
  const { passwordFile } = config.desk;
  const look = (): void => {
    try {
      const newly = withPasswordOf(config, handed());
      if (newly.deskPassword === handed().deskPassword) return;
      tell(newly);
      logger.info({ file: passwordFile }, 'the desk has another password, or none any more');
    } catch (cause) {
      logger.error({ cause: wordsOf(cause) }, 'the old password of the desk stays');
    }
  };
  watchFile(passwordFile, { interval: everyMs, persistent: false }, look);
  return () => unwatchFile(passwordFile, look);
}
