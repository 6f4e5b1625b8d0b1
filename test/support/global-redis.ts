import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type { TestProject } from 'vitest/node'
import { startPrivateRedis } from '../../src/redis/dev/server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    redisUrl: string
  }
}

/** One Redis for the whole run; files keep apart by key prefix (`testRedis`). Vitest calls the default export. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = await mkdtemp(join(tmpdir(), 'baton-test-redis-'))
  const server = await startPrivateRedis({ dir, log: pino({ level: 'silent' }) })
  project.provide('redisUrl', server.url)
  return async () => {
    await server.stop()
    await rm(dir, { recursive: true })
  }
}
