import { z } from 'zod'
import { troubleCodes } from '../../health/troubles.ts'
import { seconds } from '../jobs/openapi.ts'
import type { Operations } from '../openapi/operation.ts'

const rate = z.number().nullable()

const trouble = z.object({
  code: z.enum(troubleCodes),
  level: z.enum(['bad', 'warn', 'hold']),
  subject: z.string().nullable(),
  since: seconds.nullable(),
  count: z.int().nullable(),
  reason: z.string().nullable(),
})

export const action = z.object({
  at: seconds,
  by: z.string(),
  action: z.string(),
  subject: z.string(),
  note: z.string().nullable(),
})

const overview = z
  .object({
    read_at: seconds,
    waiting: z.int(),
    running: z.int(),
    parked: z.int(),
    oldest_waiting_at: seconds.nullable(),
    accepted_per_s: rate,
    ended_per_s: rate,
    failed_per_s: rate,
    handovers_per_s: rate,
    providers: z.record(
      z.string(),
      z.object({
        waiting: z.int(),
        running: z.int(),
        attempts_per_s: rate,
        failures_per_s: rate,
        p95_ms: rate,
      }),
    ),
    troubles: z.array(trouble),
    estimated_drain_at: seconds.nullable(),
    cost_today_usd: z.number().nullable(),
    unpriced_today: z.int(),
    at_risk: z.array(z.object({ subject: z.string(), slack: z.int().nullable(), cause: z.string() })),
    actions: z.array(action),
  })
  .meta({ id: 'Overview' })

export const liveOperations: Operations = {
  'GET /v1/admin/overview': {
    id: 'readOverview',
    summary: 'Read what waits, runs and ends, and what is wrong',
    tag: 'Operation',
    responses: { 200: { description: 'Of all tenants; rates are of the last seconds.', schema: overview } },
    errors: [],
  },
  'GET /v1/admin/history': {
    id: 'readHistory',
    summary: 'Read figures of each minute of the last 25 hours',
    tag: 'Operation',
    responses: {
      200: {
        description: 'A column for each series, null where it is not known.',
        schema: z.object({
          at: z.array(seconds),
          series: z.record(z.string(), z.array(z.union([z.number(), z.string(), z.null()]))),
        }),
      },
    },
    errors: ['invalid_request'],
  },
  'GET /v1/admin/events': {
    id: 'followOverview',
    summary: "Follow what changes on an operator's page",
    tag: 'Operation',
    query: z.object({
      topics: z.string().optional().meta({
        description:
          '`overview`, `providers`, `provider:<name>`, `batches`, `batch:<id>`, `job:<id>`, `webhooks` and `rows:<job id>,<job id>…`, with commas between; `overview` when absent.',
      }),
    }),
    responses: {
      200: {
        description:
          '`hello`, a `snapshot` of the topics, then a `tick` each second, and `provider`, `batches`, `batch`, `rows`, `job`, `webhooks`, `troubles` and `action` as they change. What a slow reader missed is left out.',
        schema: z.string(),
        type: 'text/event-stream',
      },
    },
    errors: ['invalid_request', 'too_many_pages', 'shutting_down'],
  },
}
