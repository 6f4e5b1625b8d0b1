import { mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { Child, LogLine } from '../../harness/child.ts'
import { type Deployment, openDeployment } from '../../harness/deployment.ts'
import { until } from '../../harness/until.ts'
import { testRedis } from '../support/redis.ts'

let site: Deployment
afterEach(() => site.close())

const redis = testRedis()
const config = (rpm: number) => ({
  redis,
  server: { port: 0, watch_config: true },
  providers: { p: { type: 'openai', base_url: 'http://127.0.0.1:9/v1', api_key: 'k', limits: { rpm } } },
  models: { m: { provider: 'p' } },
})
const text = (rpm: number) => JSON.stringify(config(rpm))
const linesOf = (baton: Child, event: string): readonly LogLine[] =>
  baton.lines.filter(line => line.event === event)
const reloads = (baton: Child, count: number) =>
  until(() => linesOf(baton, 'config.reloaded').length === count, 30_000)

describe('a config file that is watched', { timeout: 120_000 }, () => {
  test('is read anew however it is replaced; a broken file, and none, change nothing', async () => {
    site = await openDeployment(config(1))
    const file = join(site.dir, 'baton.yaml')
    const baton = await site.worker('p')

    await writeFile(file, text(2))
    await reloads(baton, 1)
    expect(linesOf(baton, 'config.reloaded')[0]).toMatchObject({ changes: { limits: ['p.rpm'] } })

    // An editor's way: another file in its place.
    await writeFile(`${file}~`, text(3))
    await rename(`${file}~`, file)
    await reloads(baton, 2)

    await writeFile(file, '{ "providers": [')
    await until(() => linesOf(baton, 'config.reload_refused').length === 1, 30_000)
    await unlink(file)
    await writeFile(file, text(4))
    await reloads(baton, 3)
    expect(linesOf(baton, 'config.reload_refused')).toHaveLength(1)
    expect(baton.hasExited()).toBe(false)
  })

  test('is read anew when Kubernetes swaps a ConfigMap', async () => {
    site = await openDeployment(null)
    const volume = async (name: string, rpm: number) => {
      await mkdir(join(site.dir, name))
      await writeFile(join(site.dir, name, 'baton.yaml'), text(rpm))
    }
    await volume('..2026_1', 1)
    await symlink('..2026_1', join(site.dir, '..data'))
    await symlink(join('..data', 'baton.yaml'), join(site.dir, 'baton.yaml'))
    const baton = await site.worker('p')
    await volume('..2026_2', 2)
    await symlink('..2026_2', join(site.dir, '..data_tmp'))
    await rename(join(site.dir, '..data_tmp'), join(site.dir, '..data'))
    await rm(join(site.dir, '..2026_1'), { recursive: true })
    await reloads(baton, 1)
    expect(linesOf(baton, 'config.reloaded')[0]).toMatchObject({ changes: { limits: ['p.rpm'] } })
    expect(linesOf(baton, 'config.reload_refused')).toEqual([])
  })
})
