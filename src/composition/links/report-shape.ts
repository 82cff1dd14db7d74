/**
 * What a channel's process may report. It talks with strangers, so that the queue does not take its word
 * for the shape of things; what does not fit is a mangled report (qmail-send.c), and defers.
 */
import { z } from 'zod';
import { mostReached } from '../../mail/reached.ts';
import type { AttemptReport } from '../../queue/ports.ts';

const rcpt = z.int().min(0);

const answered = z.object({
  asked: z.enum(['MX', 'address']),
  name: z.string(),
  found: z.array(z.string()).max(mostReached.answers).optional(),
  more: z.int().optional(),
});

const reached = z.object({
  open: z.literal(true).optional(),
  dns: z.array(answered).max(mostReached.questions).optional(),
  inVain: z.array(z.string()).max(mostReached.addresses).optional(),
  passedBy: z
    .array(z.object({ address: z.string(), untilAt: z.number() }))
    .max(mostReached.addresses)
    .optional(),
});

const shape = z.object({
  outcomes: z.array(
    z.object({
      rcpt,
      kind: z.enum(['delivered', 'deferred', 'failed']),
      reply: z.object({ text: z.string() }),
      doubt: z.literal(true).optional(),
      // Whoever reports was there to try; else it could have us ask again for ever.
      untried: z.never().optional(),
      reached: reached.optional(),
      lines: z
        .object({
          from: z.string(),
          by: z.string().optional(),
          done: z.array(
            z.object({
              line: z.int(),
              kind: z.enum(['maildir', 'mbox', 'program', 'forward']),
              what: z.string(),
              came: z.string().optional(),
            }),
          ),
          more: z.int().optional(),
        })
        .optional(),
    }),
  ),
  forwards: z
    .array(
      z.object({
        rcpt,
        returnPath: z.string(),
        recipients: z.array(z.string()),
        prefix: z.string(),
      }),
    )
    .optional(),
});

export const isReport = (value: unknown): value is AttemptReport => shape.safeParse(value).success;
