import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openDeployment } from '../../harness/deployment.ts'
import { until } from '../../harness/until.ts'
import { createSimProvider } from '../../src/sim/sim-provider.ts'
import { testRedis } from '../support/redis.ts'

const started = async (options: Parameters<typeof createSimProvider>[0] = {}) => {
  const sim = createSimProvider(options)
  await sim.start()
  onTestFinished(() => sim.stop())
  return sim
}

test('keys in a Secret that Kubernetes swaps are used by the next call', { timeout: 120_000 }, async () => {
  const [strict, other] = await Promise.all([started({ keys: ['sk-new-0123456789'] }), started()])
  const site = await openDeployment(null)
  onTestFinished(() => site.close())
  const swap = async (name: string, files: Readonly<Record<string, string>>) => {
    await mkdir(join(site.dir, name))
    for (const [file, text] of Object.entries(files)) await writeFile(join(site.dir, name, file), text)
    await symlink(name, join(site.dir, '..data_tmp'))
    await rename(join(site.dir, '..data_tmp'), join(site.dir, '..data'))
  }
  await swap('..1', { vendor: 'sk-old-0123456789\n', client: 'client-old\n' })
  for (const file of ['vendor', 'client']) await symlink(join('..data', file), join(site.dir, file))
  const at = (sim: typeof strict) => ({ type: 'openai', base_url: `${sim.url}/v1` })
  const config = (rpm: number) => ({
    redis: testRedis(),
    server: { port: 0 },
    api_keys: [{ key_file: join(site.dir, 'client') }],
    providers: {
      strict: { ...at(strict), api_key_file: join(site.dir, 'vendor'), limits: { rpm } },
      other: { ...at(other), api_key: 'k' },
    },
    models: {
      m: { provider: 'strict', fallback_to: 'n' },
      n: { provider: 'other' },
      alone: { provider: 'strict' },
    },
  })
  const first = config(6_000)
  await writeFile(join(site.dir, 'baton.yaml'), JSON.stringify(first))
  const baton = site.run()
  const { url } = (await baton.logged('api listening')) as unknown as { url: string }
  await baton.logged('started')

  const chat = async (key: string) => {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] }),
    })
    await answer.text()
    return { status: answer.status, by: answer.headers.get('x-baton-provider') }
  }
  const logged = (event: string) => baton.lines.filter(line => line.event === event)

  expect(await chat('client-old')).toMatchObject({ status: 200, by: 'other' })
  expect(logged('provider.suspended')).toMatchObject([{ state: 'stopped' }])

  const headers = { authorization: 'Bearer client-old', 'content-type': 'application/json' }
  const body = JSON.stringify({ body: { model: 'alone', messages: [{ role: 'user', content: 'hello' }] } })
  const posted = await fetch(`${url}/v1/jobs`, { method: 'POST', headers, body })
  const { id } = (await posted.json()) as { id: string }
  await until(() => logged('job.parked').some(({ jobId }) => jobId === id))

  // An edit of the config that nobody asked to read is not read along.
  await writeFile(join(site.dir, 'baton.yaml'), JSON.stringify({ ...first, providers: {} }))
  await swap('..2', { vendor: 'sk-new-0123456789\n', client: 'client-new\n' })
  await until(() => logged('config.reloaded').length === 1, 30_000)
  expect(logged('config.reloaded')).toMatchObject([
    { changes: { providers: { changed: ['strict'], removed: [] } } },
  ])
  expect(await chat('client-new')).toMatchObject({ status: 200, by: 'strict' })
  expect(await chat('client-old')).toMatchObject({ status: 401 })
  // It was to wait until the old key is tried again.
  const read = async (): Promise<string> => {
    const job = await fetch(`${url}/v1/jobs/${id}`, { headers: { authorization: 'Bearer client-new' } })
    return ((await job.json()) as { status: string }).status
  }
  await until(async () => (await read()) === 'succeeded')

  await rm(join(site.dir, '..2', 'vendor'))
  await until(() => logged('config.secret_kept').length === 1, 30_000)
  expect(logged('config.secret_kept')).toMatchObject([{ problem: 'there is no such file' }])
  expect(await chat('client-new')).toMatchObject({ status: 200, by: 'strict' })
  expect(baton.output).not.toMatch(/sk-(old|new)/)
})
