import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Deployment } from '../../harness/deployment.ts'
import { openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'

let site: Deployment
beforeEach(async () => {
  site = await openBaton({ level: 'processes', config: null, env: { REDIS_URL: testRedis().url, PORT: '0' } })
})
afterEach(() => site.close())

describe('a start without a config', () => {
  test('without any config simulated providers serve, and the command says so loudly', async () => {
    const baton = site.run('api')
    const { url } = await baton.logged('api listening')
    expect(baton.output).toContain('SIMULATED PROVIDERS SERVE, AND EVERY ANSWER IS MADE UP')
    const models = await (await fetch(`${url}/v1/models`)).json()
    expect(JSON.stringify(models)).toContain('simulated-primary')
  })

  test.each([
    ['empty', ''],
    ['of comments alone', '# providers:\n#   openai: {type: openai}\n'],
    ['without providers', 'server: {port: 0}\n'],
    ['with none', 'providers: {}\n'],
  ])('a config that is %s is refused in every role, wherever it is named', async (_, text) => {
    await writeFile(join(site.dir, 'named.yaml'), text)
    const named = ['--config', 'named.yaml']
    const starts = [
      named,
      ['api', ...named],
      ['worker', 'webhooks', ...named],
      ['worker', 'batches', ...named],
    ]
    const found = await Promise.all(
      starts.map(async args => {
        const baton = site.run(...args)
        const { code } = await baton.exited
        return [code, baton.output]
      }),
    )
    for (const [code, output] of found) {
      expect(code).toBe(1)
      expect(output).toContain('no providers are configured')
      expect(output).not.toContain('SIMULATED')
    }
  })

  test('so is one that lies there, and one that is not there at all', async () => {
    const missing = site.run('--config', 'nowhere.yaml')
    expect((await missing.exited).code).toBe(1)
    expect(missing.output).toContain('there is no such file')
    await writeFile(join(site.dir, 'baton.yaml'), '# nothing yet\n')
    const empty = site.run()
    expect((await empty.exited).code).toBe(1)
    expect(empty.output).toContain('no providers are configured')
  })
})
