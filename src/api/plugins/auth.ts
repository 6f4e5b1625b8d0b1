import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema.ts'
import { BatonError } from '../../domain/errors.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose request this is; `default` where no API keys are configured. */
    tenant: string
  }
}

/** Lets only requests with a configured API key into this scope, and says whose they are. */
export const installAuth = (app: FastifyInstance, apiKeys: Config['api_keys']): void => {
  app.decorateRequest('tenant', 'default')
  if (apiKeys.length === 0) return
  const tenantOf = createKeyCheck(apiKeys)
  app.addHook('onRequest', (request, _reply, done) => {
    const tenant = tenantOf(credentialOf(request))
    if (tenant === null) return done(new BatonError('invalid_api_key', 'The API key is missing or wrong.'))
    request.tenant = tenant
    done()
  })
}

/** Hashes make all keys equally long, and comparing with every one tells nothing by its time. */
const createKeyCheck = (apiKeys: Config['api_keys']): ((candidate: string) => string | null) => {
  const known = apiKeys.map(({ key, tenant }) => ({ hash: sha256(key), tenant }))
  return candidate => {
    const hash = sha256(candidate)
    let found: string | null = null
    for (const key of known) if (timingSafeEqual(key.hash, hash)) found = key.tenant
    return found
  }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

/** OpenAI's clients and Anthropic's newer ones send a bearer token, Anthropic's older ones `x-api-key`. */
const credentialOf = ({ headers }: FastifyRequest): string =>
  /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? String(headers['x-api-key'] ?? '')
