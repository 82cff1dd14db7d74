/** A question that is asked without a process of its own. */
import { openUncaged, type Asking } from '../../src/ask/asking.ts';
import type { Given, Question } from '../../src/ask/ports.ts';

export const asked = (
  question: Question,
  given: Given = {},
  name = 'counting',
  callMs = 2_000,
): Promise<Asking> => openUncaged(name, question, { callMs }).start(given);
