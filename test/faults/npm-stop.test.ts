import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Child, startCommand } from '../../harness/child.ts'
import { until } from '../../harness/until.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { testRedis } from '../support/redis.ts'

const root = join(import.meta.dirname, '..', '..')
const slow = 'slow-1000ms'

let dir: string
let sim: SimProvider
let started: Child[]
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'baton-npm-'))
  sim = createSimProvider()
  started = []
  await sim.start()
  const config = {
    redis: testRedis(),
    server: { port: 0, shutdown_grace: '10s' },
    storage: { path: join(dir, 'blobs') },
    providers: { sim: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'key' } },
    models: { [slow]: { provider: 'sim' } },
  }
  await writeFile(join(dir, 'baton.yaml'), JSON.stringify(config))
})
afterEach(async () => {
  for (const npm of started) {
    for (const pid of [...npm.lines.map(line => line.pid as number), npm.pid]) endAtOnce(pid)
  }
  await sim.stop()
  await rm(dir, { recursive: true, force: true })
})

const endAtOnce = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone, as it should be.
  }
}

/** `npm run …` as a supervisor starts it, or a person at a terminal. */
const npm = async (...args: string[]): Promise<Child> => {
  const npm = startCommand('npm', ['run', ...args], {
    cwd: root,
    env: { HOME: dir, BATON_CONFIG: join(dir, 'baton.yaml'), npm_config_update_notifier: 'false' },
    detached: true,
  })
  started.push(npm)
  await npm.logged('started')
  return npm
}

const isAlive = async (pid: number): Promise<boolean> => {
  // A process that has ended and was not fetched by its parent yet is a zombie.
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'Z')
  return !/^\d+ \(.*\) Z|^Z$/.test(stat)
}

const toGroup =
  (signal: NodeJS.Signals) =>
  (pid: number): boolean =>
    process.kill(-pid, signal)
const toNpm =
  (signal: NodeJS.Signals) =>
  (pid: number): boolean =>
    process.kill(pid, signal)

const roles = { start: ['start'], api: ['api'], worker: ['worker', '--', 'sim'] }

const ways = [
  ['SIGTERM to npm', 'start', toNpm('SIGTERM')],
  ['SIGTERM to npm', 'api', toNpm('SIGTERM')],
  ['SIGTERM to npm', 'worker', toNpm('SIGTERM')],
  ['SIGHUP to npm', 'start', toNpm('SIGHUP')],
  ['SIGKILL to npm', 'api', toNpm('SIGKILL')],
  ['Ctrl+C at a terminal', 'start', toGroup('SIGINT')],
  ['SIGTERM to the process group', 'worker', toGroup('SIGTERM')],
  ['a terminal that is closed', 'start', toGroup('SIGHUP')],
] as const

describe('a stop under npm', () => {
  it.each(ways)('%s ends `npm run %s` with all that it closes', async (_, role, send) => {
    const run = await npm(...roles[role])
    const pid = run.lines.at(-1)!.pid as number
    send(run.pid)
    await run.exited
    await until(async () => !(await isAlive(pid)))
    expect(run.lines.filter(line => line.event === 'process.stopping')).toHaveLength(1)
    expect(run.output).not.toMatch(/"level":[56]0/)
  })

  it('`npm start` that gets a SIGTERM lets the call under way end, and tells its client', async () => {
    const run = await npm('start')
    const { url } = await run.logged('api listening')
    const answer = fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: slow, messages: [{ role: 'user', content: 'hello' }] }),
    })
    await until(() => sim.calls.calls === 1)
    process.kill(run.pid, 'SIGTERM')
    expect((await answer).status).toBe(200)
    expect(await run.exited).toEqual({ code: 0, signal: null })
  })

  it('`npx baton` that gets a SIGTERM leaves no command behind', async () => {
    const api = await npm('api')
    const { url } = await api.logged('api listening')
    const input = join(dir, 'lines.jsonl')
    const body = { model: slow, messages: [{ role: 'user', content: 'hello' }] }
    await writeFile(
      input,
      `${JSON.stringify({ custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body })}\n`,
    )
    const args = ['--yes', 'baton', 'submit', input, '--wait', '--url', url as string]
    const command = startCommand('npx', args, { cwd: root, env: { HOME: dir }, detached: true })
    started.push(command)
    await until(async () => (await (await fetch(`${url}/v1/batches`)).text()).includes('"batch_'))
    process.kill(command.pid, 'SIGTERM')
    await until(() => command.hasExited())
  })
})
