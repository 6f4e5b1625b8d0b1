import type { Right } from '../../domain/access.ts'

/** By method and path, as the router has both; `open` routes ask for no key. */
export type RouteRights = Readonly<Record<string, Right | 'open'>>

/** What each route of the API asks of a key. A route that is not here is not served. */
export const routeRights: RouteRights = {
  'POST /v1/jobs': 'submit',
  'GET /v1/jobs': 'read',
  'GET /v1/jobs/count': 'read',
  'GET /v1/jobs/:id/content': 'operate',
  'GET /v1/jobs/:id': 'read',
  'GET /v1/jobs/:id/stream': 'read',
  'POST /v1/jobs/:id/cancel': 'submit',
  'POST /v1/jobs/:id/retry': 'submit',
  'POST /v1/chat/completions': 'submit',
  'POST /v1/completions': 'submit',
  'POST /v1/messages': 'submit',
  'POST /v1/messages/count_tokens': 'submit',
  'POST /v1/embeddings': 'submit',
  'POST /v1/responses': 'submit',
  'GET /v1/responses/:id': 'read',
  'GET /v1/responses/:id/input_items': 'read',
  'POST /v1/responses/:id/cancel': 'submit',
  'DELETE /v1/responses/:id': 'submit',
  'POST /v1/complete': 'submit',
  'GET /v1/models': 'read',
  'GET /v1/models/*': 'read',
  'POST /v1/files': 'submit',
  'GET /v1/files': 'read',
  'GET /v1/files/:id': 'read',
  'GET /v1/files/:id/content': 'read',
  'DELETE /v1/files/:id': 'submit',
  'POST /v1/uploads': 'submit',
  'POST /v1/uploads/:id/parts': 'submit',
  'POST /v1/uploads/:id/complete': 'submit',
  'POST /v1/uploads/:id/cancel': 'submit',
  'POST /v1/batches': 'submit',
  'GET /v1/batches': 'read',
  'GET /v1/batches/:id': 'read',
  'GET /v1/batches/:id/content': 'read',
  'POST /v1/batches/:id/cancel': 'submit',
  'POST /v1/batches/:id/retry': 'submit',
  'POST /v1/messages/batches': 'submit',
  'GET /v1/messages/batches': 'read',
  'GET /v1/messages/batches/:id': 'read',
  'GET /v1/messages/batches/:id/results': 'read',
  'GET /v1/messages/batches/:id/content': 'read',
  'POST /v1/messages/batches/:id/cancel': 'submit',
  'POST /v1/messages/batches/:id/retry': 'submit',
  'DELETE /v1/messages/batches/:id': 'submit',
  'GET /v1/dead-letters': 'read',
  'POST /v1/dead-letters/:id/redeliver': 'submit',
  'GET /openapi.json': 'read',
  // These cover all tenants together.
  'GET /v1/providers': 'operate',
  'POST /v1/providers/:name/pause': 'operate',
  'POST /v1/providers/:name/resume': 'operate',
  'GET /v1/scaling/:provider': 'operate',
  'GET /v1/admin/overview': 'operate',
  'GET /v1/admin/events': 'operate',
  'GET /v1/admin/reload': 'operate',
  'POST /v1/admin/reload': 'operate',
  'GET /v1/admin/history': 'operate',
  'GET /v1/admin/webhooks': 'operate',
  'POST /v1/dead-letters/redeliver': 'operate',
  'GET /v1/routes': 'operate',
  'GET /v1/mirrors': 'operate',
  'GET /v1/mirrors/:route/pairs': 'operate',
  'GET /v1/admin/batches': 'operate',
  'GET /v1/admin/batches/:id': 'operate',
  'GET /v1/admin/batches/:id/failures': 'operate',
  'GET /v1/usage': 'operate',
  'GET /metrics': 'operate',
  // Probes bring no key.
  'GET /healthz': 'open',
  'GET /readyz': 'open',
}

/** A HEAD is its GET. */
export const rightOf = (rights: RouteRights, method: string, url: string): Right | 'open' | undefined => {
  const route = `${method === 'HEAD' ? 'GET' : method} ${url}`
  return Object.hasOwn(rights, route) ? rights[route] : undefined
}
