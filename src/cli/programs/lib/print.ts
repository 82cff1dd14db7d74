/** What a program prints for people and scripts. */
import { errnoOf } from '../../../platform/errno.ts';
import { writeDescriptor } from './descriptors.ts';

export type Print = (text: string) => void;

/** On stdout, at once. A reader that has had enough (`| head`) ends the program, without a word. */
export const print: Print = (text) => {
  try {
    writeDescriptor(1, Buffer.from(text));
  } catch (cause) {
    if (errnoOf(cause) === 'EPIPE') process.exit(0);
    throw cause;
  }
};
