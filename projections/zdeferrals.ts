/** qmailanalog's zdeferrals. */
import { reasonsQuestion } from './reasons.ts';

export const question = reasonsQuestion('z');
export const { empty, fold } = question;
