/** qmailanalog's zsenders: a line per return path. */
import { sendersQuestion } from './senders.ts';

export const question = sendersQuestion({
  name: 'sender',
  title: 'Senders',
  keyOf: ({ sender }) => `<${sender}>`,
});
export const { empty, fold } = question;
