/** qmailanalog's zfailures. */
import { reasonsQuestion } from './reasons.ts';

export const question = reasonsQuestion('d');
export const { empty, fold } = question;
