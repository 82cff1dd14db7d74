/** qmailanalog's zsuccesses. */
import { reasonsQuestion } from './reasons.ts';

export const question = reasonsQuestion('k');
export const { empty, fold } = question;
