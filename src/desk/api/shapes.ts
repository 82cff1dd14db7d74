/** What the API says and hears, as schemas: the OpenAPI document, the checks on what comes in and the types all come from here. */
import { z } from '@hono/zod-openapi';
import { searchStatuses } from '../../trace/search.ts';

const instantText = z.iso.datetime().openapi({ example: '2026-11-21T06:00:00.000Z' });

const letterId = z.string().openapi({ example: '019b7654-0c00-7000-8000-000000000001' });

export const trouble = z.object({ error: z.string() }).openapi('Trouble');

const reply = z
  .object({
    text: z.string(),
    code: z.int().optional(),
    status: z.string().optional(),
    host: z.string().optional(),
    address: z.string().optional(),
    port: z.int().optional(),
    tls: z.object({ protocol: z.string(), cipher: z.string(), verified: z.boolean() }).optional(),
  })
  .openapi('Reply');

const byHand = z.object({ by: z.string(), why: z.string(), at: instantText });

const counts = z
  .object({
    letters: z.int(),
    recipients: z.int(),
    due: z.int(),
    held: z.int(),
    attempting: z.int(),
    owing: z.int().openapi({ description: 'letters that owe a bounce' }),
    aside: z.int().openapi({ description: 'letters with an event that makes no sense' }),
  })
  .openapi('QueueCounts');

const queueEntry = z
  .object({
    message: letterId,
    recipient: z.int(),
    address: z.string(),
    returnPath: z.string(),
    status: z.enum(['waiting', 'held', 'attempting']),
    channel: z.enum(['local', 'remote']),
    lane: z.string(),
    dueAt: instantText,
    acceptedAt: instantText,
    bytes: z.int(),
    attempts: z.int(),
    node: z.string().optional().openapi({ description: 'whose the letter is, of several' }),
    startedAt: instantText.optional(),
    lastReply: reply.optional(),
    setAside: z.string().optional().openapi({ description: 'why nothing is attempted' }),
    held: byHand.optional(),
  })
  .openapi('QueueEntry');

export const queueAnswer = z
  .object({
    at: instantText,
    position: z.int(),
    counts,
    entries: z.array(queueEntry),
  })
  .openapi('Queue');

const parent = z.object({
  message: letterId,
  why: z.enum(['bounce', 'double-bounce', 'forward']),
});

const found = z
  .object({
    message: letterId,
    acceptedAt: instantText,
    status: z.enum(searchStatuses),
    returnPath: z.string(),
    bytes: z.int(),
    parent: parent.optional(),
    done: z.boolean(),
    recipients: z.array(
      z.object({
        address: z.string(),
        status: z.enum(['waiting', 'attempting', 'delivered', 'failed', 'cancelled']),
        attempts: z.int(),
        formerly: z.array(z.string()).optional(),
        reply: z.string().optional(),
      }),
    ),
  })
  .openapi('Letter');

export const searchAnswer = z
  .object({ letters: z.array(found), next: z.string().optional() })
  .openapi('SearchPage');

export const event = z
  .object({
    position: z.int(),
    stream: z.string(),
    revision: z.int(),
    type: z.string(),
    v: z.int(),
    at: instantText,
    data: z.unknown(),
  })
  .openapi('Event');

export const letterAnswer = z
  .object({
    message: letterId,
    events: z.array(event),
    story: z.array(z.object({ at: instantText, text: z.string(), more: z.array(z.string()) })),
    children: z.array(letterId),
    lost: z.array(z.int()).openapi({ description: 'revisions that cannot be read' }),
  })
  .openapi('LetterStory');

export const whyAnswer = z
  .array(
    z
      .object({
        message: letterId,
        recipient: z.int(),
        address: z.string(),
        status: z.string(),
        waitsFor: z.string(),
        sentences: z.array(z.string()),
      })
      .loose()
      .openapi('Reason'),
  )
  .openapi('Reasons');

export const trafficAnswer = z
  .array(
    z.object({
      at: instantText,
      accepted: z.int(),
      bytes: z.int(),
      delivered: z.int(),
      deferred: z.int(),
      failed: z.int(),
    }),
  )
  .openapi('Traffic');

export const hostsAnswer = z
  .array(
    z.object({
      host: z.string(),
      delivered: z.int(),
      deferred: z.int(),
      failed: z.int(),
      meanMs: z.number().optional(),
      lastAt: instantText.optional(),
      lastTrouble: z.string().optional(),
    }),
  )
  .openapi('Hosts');

export const actAsk = z
  .object({
    why: z.string().min(1).max(300).openapi({ description: 'the reason, for the record' }),
    recipients: z
      .array(z.int().min(0))
      .min(1)
      .max(10_000)
      .optional()
      .openapi({ description: 'numbers of recipients; absent: all that wait' }),
    to: z.string().max(900).optional().openapi({ description: 'redirect: the new address' }),
  })
  .strict()
  .openapi('Order');

export const actAnswer = z
  .object({ message: letterId, act: z.string(), said: z.string() })
  .openapi('Done');

export const nodesAnswer = z
  .object({
    nodes: z.array(
      z.object({
        node: z.string().openapi({ description: 'the name that stays the same over restarts' }),
        status: z.enum(['alone', 'open', 'draining', 'closed', 'gone', 'taken']),
        letters: z.int().openapi({ description: 'its own, and not done' }),
        openedAt: instantText.optional(),
        incarnation: z.string().optional(),
        heardAt: instantText.optional(),
        beatMs: z.int().optional(),
        ttlMs: z.int().optional(),
        silent: z.boolean().optional(),
        taken: z.object({ by: z.string(), why: z.string() }).optional(),
        heir: z.string().optional().openapi({ description: 'who answers for its letters' }),
      }),
    ),
    ofNobody: z.int().openapi({ description: 'letters that no node has adopted yet' }),
  })
  .openapi('Nodes');

export const statusAnswer = z
  .object({
    node: z.string(),
    version: z.string(),
    running: z.boolean().nullable(),
    trouble: z.string().nullable(),
    roles: z.array(z.object({ name: z.string(), state: z.string() })),
    views: z
      .object({
        ...{ position: z.int(), head: z.int(), letters: z.int() },
        lacksFrom: instantText
          .optional()
          .openapi({ description: 'when the first event happened that they lack' }),
      })
      .nullable()
      .openapi({ description: 'null while there are none' }),
  })
  .openapi('Status');
