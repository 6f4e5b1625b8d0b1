import { ConfigError, renderFault } from '../../config/fault.ts'
import { BatonError } from '../../domain/errors.ts'
import { ignoreBodies } from '../http/json-body.ts'
import type { ApiParts, ApiScope } from '../parts.ts'

/** `POST /v1/admin/reload`: this process and all others read their config anew. `GET`: what that would change here. */
export const addReloadRoute = (scope: ApiScope, { reload }: Pick<ApiParts, 'reload'>): void => {
  const told = async (isTrial: boolean): Promise<object> => {
    const { version, changes } = await reload(isTrial).catch(error => Promise.reject(refusalOf(error)))
    return { object: 'config', version, ...changes }
  }
  scope.get('/v1/admin/reload', () => told(true))
  scope.register(async inner => {
    ignoreBodies(inner)
    inner.post('/v1/admin/reload', () => told(false))
  })
}

/** Where each fault stands and what it is; faults never quote the file. */
const refusalOf = (error: unknown): unknown =>
  error instanceof ConfigError
    ? new BatonError(
        'config_refused',
        `Nothing has changed. The config has faults: ${error.faults.map(renderFault).join('; ')}.`,
      )
    : error
