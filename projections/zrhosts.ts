/** qmailanalog's zrhosts: a line per host of recipients, which is what follows the last `@`. */
import { receiversQuestion } from './receivers.ts';

export const question = receiversQuestion({
  name: 'host',
  title: 'Hosts of recipients',
  keyOf: ({ recipient }) => recipient.slice(recipient.lastIndexOf('@') + 1),
});
export const { empty, fold } = question;
