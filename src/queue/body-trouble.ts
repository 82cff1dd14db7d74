/** What the log and a bounce say of a body that cannot be read now. It may come back (a disk, a restore), so it defers. */
import type { Reply } from '../mail/verdict.ts';

export const bodyTrouble: Reply = {
  text: 'qmail-spawn unable to open message. (#4.3.0)\n',
  status: '4.3.0',
};
