/** qmailanalog's zrecipients: a line per recipient, `local.` or `remote.` in front. */
import { receiversQuestion } from './receivers.ts';

export const question = receiversQuestion({
  name: 'recipient',
  title: 'Recipients',
  keyOf: ({ recipient }) => recipient,
});
export const { empty, fold } = question;
