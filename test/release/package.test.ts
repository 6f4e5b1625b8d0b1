import { execFile } from 'node:child_process'
import { globSync, statSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Child, startNode } from '../../harness/child.ts'
import { until } from '../../harness/until.ts'
import { writePackage } from '../../release/pack.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { createFakeAws, imds } from '../contract/providers/credentials/fake-aws.ts'
import { metadata } from '../contract/providers/credentials/fake-google.ts'
import { nowMs, openUpstream } from '../contract/providers/open-provider.ts'
import { answering } from '../contract/providers/recording-upstream.ts'
import { blocksOf, readDoc, root } from '../docs/markdown.ts'
import { testRedis } from '../support/redis.ts'
import { type S3Server, startS3Server } from '../support/s3-server.ts'

const run = promisify(execFile)
const operator = 'an-operators-key-of-some-length'

/** A program of somebody who has the package, and TypeScript without Node's types. */
const consumer = `
import { Baton, BatonError, type Job } from '@baton-llm/baton/client'
import { createWebhookHandler, type WebhookEvent } from '@baton-llm/baton/webhooks'

declare const process: { readonly argv: readonly string[] }
const baton = new Baton({ baseUrl: process.argv[2]! })
const body = { model: 'gpt-4', messages: [{ role: 'user', content: 'hi' }] }
const job: Job = await baton.submit(body)
const { status } = await baton.wait(job.id)
let text = ''
for await (const event of baton.stream(body)) text += event.text
const results: (string | undefined)[] = []
for await (const { custom_id, response } of baton.batches.run<{ object: string }>([{ custom_id: 'a', body }]))
  results.push(custom_id, response?.body.object)
const code = await baton.jobs.get('job_01k3v8x2p5q7r9s1t3v5w7x9y0').catch((e: BatonError) => e.code)
const onEvent = (event: WebhookEvent) => event.data
const { fetch: receive } = createWebhookHandler({ secret: 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz', onEvent })
const refused = (await receive(new Request('http://x/', { method: 'POST' }))).status
// @ts-expect-error: there is no such priority
const wrong = () => baton.submit(body, { priority: 'highest' })
console.log(JSON.stringify([status, text !== '', results, code, refused, typeof wrong]))
`

/** And of somebody with CommonJS. */
const older = `
import client = require('@baton-llm/baton/client')
import webhooks = require('@baton-llm/baton/webhooks')
export const job: Promise<client.Job> = new client.Baton({ baseUrl: 'http://x' }).jobs.get('job_1')
export const receive: typeof webhooks.verifyWebhook = webhooks.verifyWebhook
`

let folder: string
let installed: string
let program: string
const running: Child[] = []

const start = (words: readonly string[], cwd: string, env: Record<string, string> = {}): Child => {
  // Another than that of this clone, by `npm run matrix`.
  const child = startNode(program, words, { cwd, env, node: process.env.BATON_NODE })
  running.push(child)
  return child
}

/** What a command prints that ends. */
const command = async (words: readonly string[], cwd: string, env: Record<string, string> = {}) => {
  const child = start(words, cwd, env)
  const { code } = await child.exited
  return { code, output: child.output }
}

/** A printed request names its port: one that nobody has just now. */
const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

const emptyFolder = async (name: string): Promise<string> => {
  const place = join(folder, name)
  await mkdir(place)
  return place
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-package-'))
  const built = join(folder, 'built')
  await writePackage(built)
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: built })
  const place = await emptyFolder('installed')
  await writeFile(join(place, 'package.json'), JSON.stringify({ type: 'module' }))
  await writeFile(join(place, 'consumer.ts'), consumer)
  await writeFile(join(place, 'older.cts'), older)
  await run('npm', ['install', '--offline', join(folder, stdout.trim())], { cwd: place })
  installed = join(place, 'node_modules/@baton-llm/baton')
  program = join(installed, 'dist/baton.js')
})
afterEach(async () => {
  await Promise.all(running.splice(0).map(child => (child.hasExited() ? undefined : child.kill())))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('the package', () => {
  it('has no dependency, and is small', async () => {
    const { stdout } = await run('npm', ['ls', '--all', '--parseable'], { cwd: join(folder, 'installed') })
    expect(stdout.trim().split('\n')).toHaveLength(2)
    const files = globSync('**/*', { cwd: installed }).map(name => statSync(join(installed, name)))
    expect(files.filter(file => file.isFile()).length).toBeLessThan(400)
    expect(files.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(20e6)
  })

  it('has a client and a receiver of webhooks, with types, and nothing that publint finds wrong', async () => {
    const { messages } = await publint({ pkgDir: installed, pack: false, strict: true })
    expect(messages).toEqual([])
    expect(statSync(join(installed, 'dist/client/client.js')).size).toBeLessThan(25_000)
    const place = join(folder, 'installed')
    const strict = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'esnext,dom']
    const check = (module: string, ...words: readonly string[]) =>
      run(
        process.execPath,
        [join(root, 'node_modules/typescript/bin/tsc'), ...strict, '--module', module, ...words],
        { cwd: place },
      )
    const whole = ['--types', '', '--skipLibCheck', 'false']
    await expect(
      Promise.all([
        check('nodenext', ...whole, 'consumer.ts', 'older.cts'),
        check('node16', ...whole, 'consumer.ts'),
        check('esnext', '--moduleResolution', 'bundler', ...whole, 'consumer.ts'),
      ]),
    ).resolves.toMatchObject([{ stdout: '' }, { stdout: '' }, { stdout: '' }])
    const required =
      "['client', 'webhooks'].flatMap(name => Object.keys(require('@baton-llm/baton/' + name)))"
    const node = process.env.BATON_NODE ?? process.execPath
    const { stdout } = await run(node, ['-p', `String(${required})`], { cwd: place })
    expect(stdout.trim().split(',')).toEqual(
      expect.arrayContaining(['Baton', 'BatonError', 'createWebhookHandler', 'verifyWebhook']),
    )

    const snippets = blocksOf(readDoc('docs/clients.md')).filter(({ language }) => language === 'ts')
    expect(snippets.length).toBeGreaterThan(3)
    const names = snippets.map((_, i) => `snippet-${i}.ts`)
    for (const [i, { text }] of snippets.entries()) await writeFile(join(place, names[i]!), text)
    const modules = (name: string) => join(name, 'node_modules')
    const linked = ['fastify', '@types']
    for (const name of linked) await symlink(join(modules(root), name), join(modules(place), name))
    await expect(check('nodenext', '--types', 'node', '--skipLibCheck', ...names)).resolves.toMatchObject({
      stdout: '',
    })
    for (const name of linked) await rm(join(modules(place), name))
  })

  it('has the parts that the image compiles', async () => {
    const compiled = await emptyFolder('compiled')
    await run(process.execPath, [join(root, 'release/precompile.mjs'), join(installed, 'dist')], {
      env: { ...process.env, NODE_COMPILE_CACHE: compiled },
    })
    expect(globSync('*/*', { cwd: compiled }).length).toBeGreaterThan(40)
  })

  it('names what is bundled, with the licences', async () => {
    const text = await readFile(join(installed, 'NOTICES.md'), 'utf8')
    const pages = globSync('ui/**/*.{ts,tsx}', { cwd: root, exclude: ['ui/build*.ts', 'ui/dist'] })
    const sources = await Promise.all(pages.map(name => readFile(join(root, name), 'utf8')))
    const ofPages = sources.flatMap(source =>
      [...source.matchAll(/ from '((?:@[^/']+\/)?[a-z][^/']*)/g)].map(([, name]) => name!),
    )
    expect(ofPages).toContain('preact')
    for (const name of [
      ...new Set(ofPages.filter(name => !name.startsWith('node:'))),
      'bullmq',
      'ioredis',
      'fastify',
      'zod',
      'opossum',
      'pino',
      '@ai-sdk/anthropic',
      'swagger-ui-dist',
    ])
      expect(text).toMatch(new RegExp(`^## .*${name} \\d`, 'm'))
    // What others have bundled in what is passed on.
    expect(text).toContain('DOMPurify')
  })

  it('says its version, what it can do, and how each command is used', async () => {
    const { version } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
    expect(await command(['--version'], folder)).toEqual({ code: 0, output: `${version}\n` })
    const { output } = await command(['--help'], folder)
    const names = [...output.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name]) => name!)
    expect(names).toEqual(expect.arrayContaining(['serve', 'worker', 'healthcheck', 'submit', 'doctor']))
    for (const name of ['serve', 'worker', 'healthcheck', 'submit']) {
      const help = await command([name, '--help'], folder)
      expect(help).toEqual({ code: 0, output: expect.stringContaining(`Usage: baton ${name}`) })
    }
  })

  it('serves without a config and a server of Redis: simulated providers, and one of its own', async () => {
    const place = await emptyFolder('no-config')
    const baton = start(['serve'], place, { PORT: '0' })
    const { url } = await baton.logged('api listening')
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content: 'hi' }] }),
    })
    expect(answer.status).toBe(200)
    const ran = await run(process.execPath, [join(folder, 'installed/consumer.ts'), String(url)])
    expect(JSON.parse(ran.stdout)).toEqual([
      'succeeded',
      true,
      ['a', 'chat.completion'],
      'job_not_found',
      400,
      'function',
    ])
    baton.signal('SIGTERM')
    expect(await baton.exited).toEqual({ code: 0, signal: null })
  })

  it('is set up by `baton init`: the printed request is answered by the second vendor while the first is down', async () => {
    const place = await emptyFolder('init')
    const first = createSimProvider({ keys: ['sk-one'], models: ['gpt-5.4-mini'] })
    const second = createSimProvider({ keys: ['sk-two'], models: ['claude-sonnet-4-6'], format: 'anthropic' })
    try {
      await Promise.all([first.start(), second.start()])
      const vendors = ['--provider', 'openai', '--provider', 'anthropic', '--check']
      const urls = ['--base-url', `openai=${first.url}/v1`, '--base-url', `anthropic=${second.url}`]
      const made = await command(['init', ...vendors, ...urls, '--port', String(await freePort())], place, {
        OPENAI_API_KEY: 'sk-one',
        ANTHROPIC_API_KEY: 'sk-two',
      })
      expect(made).toEqual({ code: 0, output: expect.stringContaining('npx baton serve') })
      const [schema] = (await readFile(join(place, 'baton.yaml'), 'utf8')).match(/(?<=\$schema=).*/)!
      expect(JSON.parse(await readFile(join(place, schema), 'utf8')).title).toContain('baton.yaml')
      await first.stop()
      // By the files alone: this shell has no keys.
      const baton = start(['serve'], place)
      await baton.logged('api listening')
      const curl = made.output.slice(made.output.indexOf('  curl -s'))
      const { stdout } = await run('sh', ['-c', curl])
      expect(JSON.parse(stdout)).toMatchObject({ model: 'claude-sonnet-4-6', choices: [expect.anything()] })
      baton.signal('SIGTERM')
      expect(await baton.exited).toEqual({ code: 0, signal: null })
    } finally {
      await Promise.all([first.stop(), second.stop()])
    }
  })

  it('refuses a role that there is not', async () => {
    expect(await command(['serve', 'everything'], folder)).toEqual({
      code: 2,
      output: expect.stringMatching(/^Unknown role 'everything'\./),
    })
  })
})

describe('the package in a cloud', () => {
  it('has what each cloud asks for its identity', async () => {
    const aws = createFakeAws()
    aws.lastsMs += Date.now() - nowMs
    const [instance, machine, entra] = await Promise.all([
      openUpstream(imds(aws)),
      openUpstream(metadata),
      openUpstream(answering(200, { access_token: 't', expires_in: 3600 })),
    ])
    const place = await emptyFolder('clouds')
    const azure = { authority: entra.url, tenant_id: 't', client_id: 'c', client_secret: 's3cret' }
    const config = {
      providers: {
        aws: { type: 'bedrock', region: 'us-east-1' },
        google: { type: 'vertex', location: 'us-central1' },
        azure: { type: 'azure', resource: 'none', ...azure },
      },
      models: {
        a: { provider: 'aws', fallback_to: 'b' },
        b: { provider: 'google', fallback_to: 'c' },
        c: { provider: 'azure' },
      },
    }
    await writeFile(join(place, 'baton.yaml'), JSON.stringify(config))
    const { output } = await command(['keys', '--check'], place, {
      HOME: place,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: instance.url,
      GCE_METADATA_HOST: new URL(machine.url).host,
      METADATA_SERVER_DETECTION: 'assume-present',
    })
    // Nobody answers at the clouds themselves, whose names mean nothing here.
    expect(output).toMatch(/aws .*, by the role of this instance$/m)
    expect(output).toMatch(/google .*, by the metadata server$/m)
    expect(output).toMatch(/azure .*, by the client c of Entra ID$/m)
    expect(aws.handedOut).toHaveLength(1)
  })
})

describe('the package, role by role', () => {
  let sims: SimProvider[]
  let s3: S3Server
  let place: string
  let env: Record<string, string>

  beforeAll(async () => {
    place = await emptyFolder('roles')
    sims = [createSimProvider(), createSimProvider()]
    await Promise.all(sims.map(sim => sim.start()))
    s3 = await startS3Server()
    const redis = testRedis()
    const config = {
      redis,
      server: { port: 0, admin_port: 0 },
      providers: {
        first: { type: 'openai', base_url: `${sims[0]!.url}/v1`, api_key: 'k' },
        second: { type: 'anthropic', base_url: sims[1]!.url, api_key: 'k' },
      },
      models: {
        'fail-500': { provider: 'first', fallback_to: 'claude' },
        claude: { provider: 'second' },
      },
      api_keys: [{ key: operator, tenant: 'ops', role: 'operator' }],
      ui: { enabled: true },
      storage: {
        s3: {
          bucket: s3.bucket,
          endpoint: s3.url,
          region: 'us-east-1',
          access_key_id: 'a',
          secret_access_key: 'b',
          force_path_style: true,
        },
      },
    }
    await writeFile(join(place, 'baton.yaml'), JSON.stringify(config))
    env = { BATON_API_KEY: operator }
  })
  afterAll(async () => {
    await Promise.all(sims.map(sim => sim.stop()))
    await s3.stop()
  })

  it('answers through the second vendor, takes a batch, keeps its files in S3 and shows its page', async () => {
    expect(await command(['validate-config'], place)).toMatchObject({ code: 0, output: expect.any(String) })
    const api = start(['serve', 'api'], place)
    const workers = [
      ['worker', 'first'],
      ['serve', 'worker', 'second'],
      ['worker', 'webhooks'],
      ['worker', 'batches'],
    ]
    const started = workers.map(words => start(words, place))
    const { url } = (await api.logged('api listening')) as unknown as { url: string }
    await Promise.all(started.map(worker => worker.logged('started')))
    const cli = { ...env, BATON_URL: url }

    const headers = { 'content-type': 'application/json', authorization: `Bearer ${operator}` }
    const body = { model: 'fail-500', messages: [{ role: 'user', content: 'hi' }] }
    const chat = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    expect(chat.status).toBe(200)

    const line = (id: string) => ({ custom_id: id, method: 'POST', url: '/v1/chat/completions', body })
    await writeFile(
      join(place, 'in.jsonl'),
      `${['a', 'b', 'c'].map(id => JSON.stringify(line(id))).join('\n')}\n`,
    )
    const batch = await command(['submit', 'in.jsonl', '--wait', '--output', 'out.jsonl'], place, cli)
    expect(batch).toMatchObject({ code: 0 })
    const output = (await readFile(join(place, 'out.jsonl'), 'utf8')).trim().split('\n')
    expect(output.map(text => JSON.parse(text).custom_id).toSorted()).toEqual(['a', 'b', 'c'])
    await until(async () => (await s3.kept()).length > 0)

    const page = await fetch(`${url}/ui`)
    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/html'),
    ])
    const [, script] = (await page.text()).match(/src="(\/ui\/assets\/[^"]+\.js)"/)!
    expect((await fetch(`${url}${script}`)).status).toBe(200)
    expect(await (await fetch(`${url}/docs`)).text()).toContain('/docs/assets/swagger-ui-')

    for (const words of [['providers'], ['jobs'], ['batches', 'list'], ['usage']])
      expect([words, (await command(words, place, cli)).code]).toEqual([words, 0])
    const doctor = await command(['doctor'], place, cli)
    expect(doctor.output).toContain('Redis')
    expect(await command(['healthcheck', 'worker', 'first'], place)).toMatchObject({ code: 0 })

    for (const child of [api, ...started]) child.signal('SIGTERM')
    for (const child of [api, ...started]) expect(await child.exited).toEqual({ code: 0, signal: null })
  })
})
