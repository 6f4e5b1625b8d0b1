import { Readable } from 'node:stream'
import type { ApiScope } from '../parts.ts'
import { streamHeaders } from '../streams/event-outlet.ts'
import type { OperatorReads } from './operator-reads.ts'
import type { PageFeed } from './page-feed.ts'
import { parseTopics } from './page-topics.ts'

/** `GET /v1/admin/overview`, and `GET /v1/admin/events`: what changes on an operator's page, as it changes. */
export const addLiveRoutes = (
  scope: ApiScope,
  { reads, feed }: { readonly reads: OperatorReads; readonly feed: PageFeed },
): void => {
  scope.get('/v1/admin/overview', async () => (await reads.all()).overview)

  scope.get<{ Querystring: { topics?: string | string[] } }>('/v1/admin/events', async (request, reply) => {
    const topics = parseTopics([request.query.topics ?? 'overview'].flat().join(','))
    reply.headers(streamHeaders)
    if (request.method === 'HEAD') return reply.send(Readable.from([]))
    return reply.send(await feed.open(topics))
  })
}
