import type { FastifyInstance } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import type { OperatorAction } from '../../health/operator-log.ts'
import { wholeSeconds } from '../../jobs/view.ts'
import { traceOf } from '../http/errors.ts'
import type { ApiParts } from '../parts.ts'
import type { ActionView } from './views.ts'

/** What is noted when an operator does it, by its route. */
const actions: Readonly<Record<string, string>> = {
  '/v1/providers/:name/pause': 'provider.pause',
  '/v1/providers/:name/resume': 'provider.resume',
  '/v1/jobs/:id/cancel': 'job.cancel',
  '/v1/jobs/:id/retry': 'job.retry',
  '/v1/batches/:id/cancel': 'batch.cancel',
  '/v1/batches/:id/retry': 'batch.retry',
  '/v1/messages/batches/:id/cancel': 'batch.cancel',
  '/v1/messages/batches/:id/retry': 'batch.retry',
  '/v1/dead-letters/:id/redeliver': 'webhook.replay',
  '/v1/dead-letters/redeliver': 'webhook.replay_all',
}

const mostNote = 500

/** The `note` of a body that may be absent. Throws `invalid_request`. */
export const noteIn = (body: unknown): string | null => {
  if (body === undefined || body === null) return null
  const { note = null } = body as { readonly note?: unknown }
  if (note === null || (typeof note === 'string' && note.length <= mostNote)) return note === '' ? null : note
  throw new BatonError('invalid_request', `\`note\` must be a text of at most ${mostNote} characters.`, {
    param: 'note',
  })
}

/**
 * Notes what operators have done, once it is done and answered: who cancels many jobs does not wait for it. What a process did that
 * dies right then is not noted.
 */
export const noteActions = (
  app: FastifyInstance,
  { operatorLog, log, now }: Pick<ApiParts, 'operatorLog' | 'log' | 'now'>,
): void => {
  app.addHook('onResponse', async (request, reply) => {
    const { url = '' } = request.routeOptions
    const action = request.method === 'POST' && Object.hasOwn(actions, url) ? actions[url]! : null
    if (action === null || reply.statusCode >= 300 || request.role === 'submit') return
    const { name, id } = request.params as { readonly name?: string; readonly id?: string }
    const { receiver = '' } = (request.body ?? {}) as { readonly receiver?: unknown }
    const subject = name ?? id ?? String(receiver)
    const note = action === 'provider.pause' ? noteIn(request.body) : null
    try {
      await operatorLog.add({ atMs: now(), by: request.actor, action, subject, note })
    } catch (error) {
      log.warn({ event: 'operator_action.not_noted', action, ...traceOf(error) }, 'action not noted')
    }
  })
}

export const actionView = ({ atMs, ...action }: OperatorAction): ActionView => ({
  at: wholeSeconds(atMs),
  ...action,
})
