import { z } from 'zod'

export const idOf = (what: string) => z.object({ id: z.string().meta({ description: `The id of ${what}.` }) })

const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/)
  .optional()
  .meta({ description: 'The same key and request are answered with what the first one made.' })

export const idempotencyHeaders = z.object({ 'idempotency-key': idempotencyKey })

const beta = (who: string) =>
  z
    .string()
    .optional()
    .meta({ description: `Goes on with the request to providers of ${who}.` })

/** Headers that go on with a request, in any format. */
export const forwardedHeaders = z.object({
  'anthropic-beta': beta("Anthropic's API, where the request has its format"),
  'openai-beta': beta("OpenAI's API, where the request has one of its formats"),
})

export const waitingHeaders = z.object({
  prefer: z
    .string()
    .optional()
    .meta({ description: '`wait=30`: answer once the job ended, or after that many seconds (60 at most).' }),
})

export const followingHeaders = waitingHeaders.extend({
  'last-event-id': z
    .string()
    .optional()
    .meta({ description: 'Of the last event of a stream that was read: it is not sent again.' }),
})

export const syncHeaders = idempotencyHeaders.extend({
  prefer: z
    .string()
    .optional()
    .meta({ description: '`respond-async`: answer 202 with the job instead of waiting.' }),
  'x-baton-timeout': z.string().optional().meta({
    description: 'The longest to wait: seconds, or a time with a unit such as `500ms`, `20s` or `2m`.',
  }),
  'x-baton-on-stream-failure': z.enum(['error', 'restart']).optional().meta({
    description:
      '`restart`: a stream that breaks off begins anew at the next target, behind an event `baton.restart`.',
  }),
})

/** In whose shape the answer is to be. */
export const dialectHeaders = z.object({
  'anthropic-version': z
    .string()
    .optional()
    .meta({ description: "Where it is sent, the answer has the shape of Anthropic's API." }),
})

export const rangeHeaders = z.object({
  range: z.string().optional().meta({ description: 'A single range of bytes: `bytes=0-99`.' }),
})
