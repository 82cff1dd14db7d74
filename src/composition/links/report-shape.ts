/**
 * What a channel's process may report. It talks with strangers, so that the queue does not take its word
 * for the shape of things; what does not fit is a mangled report (qmail-send.c), and defers.
 */
import { z } from 'zod';
import type { AttemptReport } from '../../queue/ports.ts';

const rcpt = z.int().min(0);

const shape = z.object({
  outcomes: z.array(
    z.object({
      rcpt,
      kind: z.enum(['delivered', 'deferred', 'failed']),
      reply: z.object({ text: z.string() }),
      doubt: z.literal(true).optional(),
      lines: z
        .object({
          from: z.string(),
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
