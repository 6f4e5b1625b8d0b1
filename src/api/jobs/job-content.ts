import { z } from 'zod'
import { BatonError } from '../../domain/errors.ts'
import type { Capacity } from '../http/capacity.ts'
import { findAnyJob, headReader } from '../http/find-owned.ts'
import type { ContentText, JobContentView } from '../operator/job-view.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { answerReader } from './answer-reader.ts'

const mostCharacters = 65_536

/**
 * `GET /v1/jobs/:id/content`: what a job of any tenant asks and was answered, for operators, and only where the config says so.
 * Each reading is logged, with who read what.
 */
export const addJobContentRoute = (
  scope: ApiScope,
  { config, store, log }: Pick<ApiParts, 'config' | 'store' | 'log'>,
  capacity: Capacity,
): void => {
  const schema = { params: z.object({ id: z.string() }) }
  scope.get('/v1/jobs/:id/content', { schema }, async (request, reply) => {
    const { id } = await findAnyJob(request, request.params.id, headReader(store))
    if (!config.ui.show_content) {
      throw new BatonError(
        'content_hidden',
        'What jobs ask and were answered is not shown here: the config does not set `ui.show_content`.',
      )
    }
    const read = answerReader({ capacity, store }, request, reply)
    const record = await findAnyJob(request, id, read)
    const body = await store.readBody(id)
    log.info({ event: 'content.read', jobId: id, by: request.actor }, 'content of a job read')
    return {
      id,
      request: body === null ? null : textOf(body),
      response: record.response && {
        status_code: record.response.statusCode,
        ...textOf(record.response.body),
      },
    } satisfies JobContentView
  })
}

const textOf = (text: string): ContentText => ({
  text: text.slice(0, mostCharacters),
  bytes: Buffer.byteLength(text),
})
