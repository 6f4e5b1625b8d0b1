import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { until } from '../../harness/until.ts'
import { Baton } from '../../src/client/client.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'
import { blocksOf, readDoc, root } from './markdown.ts'

const run = promisify(execFile)
const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`
const folder = join(root, 'examples/python')

/** Whether there is a python3 for which this is true. */
const isTrueInPython = (code: string): boolean => {
  try {
    return (
      execFileSync('python3', ['-c', code], { stdio: ['ignore', 'pipe', 'ignore'] }).toString() === 'True\n'
    )
  } catch {
    return false
  }
}
const hasPython = isTrueInPython('import sys; print(sys.version_info >= (3, 9))')
const hasRequests = isTrueInPython('import requests; print(True)')
if (!hasPython) console.log('There is no python3 here: the examples in Python are not tried.')

let sim: SimProvider
let api: BatonApi
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  sim = createSimProvider()
  await sim.start()
  api = await openBaton({
    level: 'api',
    batches: true,
    webhooks: true,
    config: {
      providers: { first: { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' } },
      models: { 'gpt-5.4': { provider: 'first' } },
      webhooks: { secret, allowed_networks: ['127.0.0.0/8'] },
      api_keys: ['a-key'],
    },
  })
  env = { PATH: process.env.PATH, BATON_URL: api.url, BATON_API_KEY: 'a-key', BATON_WEBHOOK_SECRET: secret }
})
afterAll(async () => {
  await api?.stop()
  await sim?.stop()
})

describe('snippets of docs/integrations.md', () => {
  const snippets = blocksOf(readDoc('docs/integrations.md')).filter(({ language }) => language === 'js')

  test.each(snippets.map(({ mark, text }) => [mark, text]))('%s streams an answer', async (mark, text) => {
    // Where its imports are found.
    const folder = join(root, 'node_modules/.cache')
    await mkdir(folder, { recursive: true })
    const file = join(folder, `integration-${mark}-${process.pid}.mjs`)
    await writeFile(file, text!)
    onTestFinished(() => rm(file))
    const { stdout, stderr } = await run(process.execPath, [file], { env })
    expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/./), stderr: '' })
  })
})

describe.skipIf(!hasPython)('examples in Python', () => {
  test('are Python, all of them', async () => {
    const parse = 'import ast, sys\nfor name in sys.argv[1:]: ast.parse(open(name).read(), name)'
    const names = globSync('*.py', { cwd: folder })
    expect(names.length).toBeGreaterThan(5)
    await expect(run('python3', ['-c', parse, ...names], { cwd: folder })).resolves.toMatchObject({
      stderr: '',
    })
  })

  test('examples/python/plain_http.py brings a job, a stream and a batch to their ends', async () => {
    const { stdout } = await run('python3', [join(folder, 'plain_http.py')], { env })
    const [job, stream, batch, ...lines] = stdout.trim().split('\n')
    expect(job).toMatch(/^job succeeded ./)
    expect(stream).toMatch(/^stream ./)
    expect(batch).toBe('batch completed')
    expect(lines.toSorted()).toEqual(['line-0 200', 'line-1 200', 'line-2 200'])
  })

  test.skipIf(!hasRequests)('examples/python/requests_job.py brings a job to its end', async () => {
    const { stdout } = await run('python3', [join(folder, 'requests_job.py')], { env })
    expect(stdout).toMatch(/^succeeded .*'content': '/)
  })

  test('examples/python/webhook_receiver.py takes what is signed, and nothing else', async () => {
    const receiver = spawn('python3', [join(folder, 'webhook_receiver.py'), '0'], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    onTestFinished(async () => {
      receiver.kill()
      await once(receiver, 'close')
    })
    const said: string[] = []
    createInterface({ input: receiver.stdout }).on('line', line => said.push(line))
    const [, url] = await until(() => /on (http:.*)$/.exec(said[0] ?? ''))
    const baton = new Baton({ baseUrl: api.url, apiKey: 'a-key' })
    const body = { model: 'gpt-5.4', messages: [{ role: 'user', content: 'hi' }] }
    const { id } = await baton.submit(body, { webhook: { url: url! } })
    await until(() => said.includes(`verified job.succeeded of ${id}`))

    const now = new Date()
    const send = async (at: Date, by: string) => {
      const headers = {
        'webhook-id': 'evt_1',
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        'webhook-signature': new Webhook(by).sign('evt_1', at, '{}'),
      }
      return (await fetch(url!, { method: 'POST', headers, body: '{}' })).status
    }
    expect(await send(now, `whsec_${Buffer.alloc(32, 6).toString('base64')}`)).toBe(401)
    expect(await send(new Date(now.getTime() - 3_600_000), secret)).toBe(401)
    expect((await fetch(url!, { method: 'POST', body: '{}' })).status).toBe(401)
    const odd = { 'webhook-signature': 'v1,\u00e9' }
    expect((await fetch(url!, { method: 'POST', headers: odd, body: '{}' })).status).toBe(401)
    expect(said.filter(line => line.startsWith('verified'))).toHaveLength(1)
  })
})
