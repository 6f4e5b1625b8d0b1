import { Readable } from 'node:stream'
import { z } from 'zod'
import type { ApiParts, ApiScope } from '../parts.ts'
import { streamHeaders } from '../streams/event-outlet.ts'
import { historyView } from './history-view.ts'
import type { OperatorReads } from './operator-reads.ts'
import type { PageFeed } from './page-feed.ts'
import { parseTopics } from './page-topics.ts'

const time = z.coerce.number().min(0)

/** Times in Unix seconds. */
const historyQuery = z.object({
  series: z.string().max(4_000).optional().meta({
    description:
      'With commas between: `accepted`, `ended`, `failed`, `handovers`, `waiting`, `cost_usd` (of that minute), and `provider:<name>:` with `attempts`, `failures`, `p95_ms`, `waiting` or `state`; all when absent.',
  }),
  from: time.optional().meta({ description: 'Unix seconds; an hour ago when absent.' }),
  to: time.optional(),
})

/** `GET /v1/admin/history`, `GET /v1/admin/overview`, and `GET /v1/admin/events`: what changes on an operator's page, as it changes. */
export const addLiveRoutes = (
  scope: ApiScope,
  { history, now }: Pick<ApiParts, 'history' | 'now'>,
  { reads, feed }: { readonly reads: OperatorReads; readonly feed: PageFeed },
): void => {
  scope.get('/v1/admin/overview', async () => (await reads.all()).overview)

  scope.get('/v1/admin/history', { schema: { querystring: historyQuery } }, async ({ query }) => {
    const { series = '', from = now() / 1_000 - 3_600, to = now() / 1_000 } = query
    return historyView(
      await history.read(from, to),
      series.split(',').filter(name => name !== ''),
    )
  })

  scope.get<{ Querystring: { topics?: string | string[] } }>('/v1/admin/events', async (request, reply) => {
    const topics = parseTopics([request.query.topics ?? 'overview'].flat().join(','))
    reply.headers(streamHeaders)
    if (request.method === 'HEAD') return reply.send(Readable.from([]))
    return reply.send(await feed.open(topics, request.isStillSignedIn))
  })
}
