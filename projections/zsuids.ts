/** qmailanalog's zsuids: a line per user that queued letters. */
import { sendersQuestion } from './senders.ts';

export const question = sendersQuestion({
  name: 'uid',
  title: 'Users that queued letters',
  keyOf: ({ uid }) => uid,
});
export const { empty, fold } = question;
