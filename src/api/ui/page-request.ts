import type { FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import type { OwnAddress } from '../http/own-address.ts'

/**
 * What the page may do by its cookie. No endpoint that answers a prompt is among these: whoever steals a
 * session, or makes a browser send requests, spends nothing by it but what is written here.
 */
const writes: ReadonlySet<string> = new Set([
  'POST /v1/providers/:name/pause',
  'POST /v1/providers/:name/resume',
  'POST /v1/jobs/:id/cancel',
  'POST /v1/jobs/:id/retry',
  'POST /v1/files',
  'POST /v1/batches',
  'POST /v1/batches/:id/cancel',
  'POST /v1/batches/:id/retry',
  'POST /v1/messages/batches/:id/cancel',
  'POST /v1/messages/batches/:id/retry',
  'POST /v1/dead-letters/redeliver',
  'POST /v1/dead-letters/:id/redeliver',
])

/** Reads that show prompts or answers: whole files, and whatever has a job's request or response in it. */
const contentReads: ReadonlySet<string> = new Set([
  '/v1/jobs',
  '/v1/jobs/:id',
  '/v1/jobs/:id/content',
  '/v1/jobs/:id/stream',
  '/v1/responses/:id',
  '/v1/responses/:id/input_items',
  '/v1/files/:id/content',
  '/v1/batches/:id/content',
  '/v1/messages/batches/:id/content',
  '/v1/messages/batches/:id/results',
  '/v1/mirrors/:route/pairs',
])

/** Of these paths, the views that leave prompts and answers out. */
const withoutContent: Readonly<Record<string, string>> = { '/v1/jobs': 'row', '/v1/jobs/:id': 'operator' }

/** Whether a request shows prompts or answers, or what providers say of them. */
export const showsContent = ({ routeOptions: { url = '' }, query }: FastifyRequest): boolean =>
  contentReads.has(url) &&
  (withoutContent[url] === undefined ||
    (query as { view?: unknown } | undefined)?.view !== withoutContent[url])

/** Whether a cookie counts for this route. */
export const isForPages = ({ method, url }: { method: string; url: string | undefined }): boolean =>
  method === 'GET' ? url?.startsWith('/v1/') === true : writes.has(`${method} ${url}`)

/**
 * Throws for a request that the page itself has not sent. A browser says where a request comes from; a form
 * of another site can neither change that, nor add a header.
 */
export const assertFromPage = (request: FastifyRequest, own: OwnAddress): void => {
  const { origin, host = '', 'sec-fetch-site': site, 'x-baton-ui': mark } = request.raw.headers
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const isOwn = site === 'same-origin' && (origin === undefined || own.isOwnOrigin(origin, host))
  if (!isOwn || (!isRead && (origin === undefined || mark !== '1')))
    throw new BatonError('cross_site_forbidden', 'A web page of another site sent this request.')
}
