import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Deployment } from '../../harness/deployment.ts'
import { openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'

let site: Deployment
beforeEach(async () => {
  const config = {
    redis: testRedis(),
    providers: { only: { type: 'simulated', timeout_ms: 5_000 } },
    models: { any: { provider: 'only' } },
    jobs: { lock_ms: 3_000 },
    server: { port: 0 },
  }
  site = await openBaton({ level: 'processes', config })
})
afterEach(() => site.close())

describe('a start with renamed config keys', () => {
  test('a process that starts with old keys of the config logs each once, with its new name', async () => {
    const baton = site.run('api')
    await baton.logged('api listening')
    const told = baton.lines.filter(line => line.event === 'config.key_renamed')
    expect(told.map(({ level, key, advice }) => [level, key, advice])).toEqual([
      [
        40,
        'providers.only.timeout_ms',
        'is named providers.only.timeout (5s) now; the old name works until 1.0',
      ],
      [40, 'jobs.lock_ms', 'is named jobs.lease (3s) now; the old name works until 1.0'],
    ])
  })
})
