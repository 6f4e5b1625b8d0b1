import type { AddressInfo } from 'node:net'
import type { Lifecycle } from '../../lifecycle/lifecycle.ts'
import { type AdminParts, createAdminApp } from './admin-app.ts'

/**
 * Serves a process's own port where the config has one. Opened before everything else, so that it also tells of a start that
 * waits, and closed last.
 */
export const serveAdmin = async (life: Lifecycle, parts: Omit<AdminParts, 'isStopping'>): Promise<void> => {
  const { admin_host: host, admin_port: port } = parts.config.server
  if (port === undefined) return
  const app = createAdminApp({ ...parts, isStopping: () => life.stopping })
  await life.open(
    'admin port',
    () => app.listen({ host, port }),
    () => app.close(),
  )
  const { address, family, port: taken } = app.server.address() as AddressInfo
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`
  parts.log.info({ event: 'admin.listening', url }, 'admin port listening')
}
