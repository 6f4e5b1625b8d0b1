import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { runBaton } from '../../harness/deployment.ts'
import manifest from '../../package.json' with { type: 'json' }
import { loadConfig } from '../../src/config/load.ts'
import { findFreePort } from '../../src/redis/dev/probe.ts'
import { type OwnRedis, ownRedis } from '../support/redis.ts'
import { parseCompose, parseCopy, type Service, stagesOf } from './container-rules.ts'
import { readDoc, root } from './markdown.ts'

const compose = parseCompose(readDoc('docker-compose.yml'))
const { redis, ...batonServices } = compose.services as Record<string, Service> & { redis: Service }
const roles = Object.entries(batonServices)
const instructions = readDoc('Dockerfile')
  .split('\n')
  .flatMap(line => (/^([A-Z]+) (.*)$/.exec(line) ? [line.split(' ')] : []))
const instruction = (name: string): string[] =>
  instructions.filter(([word]) => word === name).map(([, ...words]) => words.join(' '))
const workdir = instruction('WORKDIR')[0]!
const healthcheck = 'release/healthcheck.sh'

let server: OwnRedis
/** A folder as the containers have it: the example's config in the place of baton.yaml. */
const site = mkdtempSync(join(tmpdir(), 'baton-compose-'))
/** What a person is told to write into .env. */
const keys = { OPENAI_API_KEY: 'sk-1', ANTHROPIC_API_KEY: 'sk-2', BATON_API_KEY: 'client-key' }

beforeAll(async () => {
  copyFileSync(join(root, 'baton.example.yaml'), join(site, 'baton.yaml'))
  server = await ownRedis()
})
afterAll(async () => {
  await server.stop()
  rmSync(site, { recursive: true })
})

describe('Dockerfile', () => {
  test('copies what exists, and not past .dockerignore', () => {
    const copies = instruction('COPY').map(parseCopy)
    const sources = [...new Set(copies.filter(({ from }) => from === null).flatMap(({ sources }) => sources))]
    const admitted = readDoc('.dockerignore').match(/(?<=^!).+$/gm)
    expect(sources.filter(path => !existsSync(join(root, path)))).toEqual([])
    const places = new Set(sources.map(path => path.split('/')[0]))
    expect([...places].toSorted()).toEqual(admitted?.toSorted())
  })

  test('copies from an earlier stage what that one makes', () => {
    const stages = stagesOf(readDoc('Dockerfile'))
    for (const [i, { instructions }] of stages.entries()) {
      const froms = instructions.flatMap(([name, rest]) =>
        name === 'COPY' ? (parseCopy(rest).from ?? []) : [],
      )
      const earlier = stages.slice(0, i).map(({ name }) => name)
      expect(froms.filter(from => !earlier.includes(from))).toEqual([])
    }
  })

  test('runs as somebody else than root, and gets the SIGTERM itself', () => {
    expect(instruction('USER')).toEqual(['node'])
    expect(instruction('STOPSIGNAL')).toEqual(['SIGTERM'])
    const entry = JSON.parse(instruction('ENTRYPOINT')[0]!) as string[]
    const flags = manifest.scripts.start.split(' ').filter(word => word.startsWith('--'))
    expect(entry).toEqual(['node', ...flags, `${workdir}/dist/baton.js`, 'serve'])
    // Code that was compiled with other flags, or by another user, would be compiled again.
    const compiles = `RUN node ${flags.join(' ')} precompile.mjs`
    expect(readDoc('Dockerfile').split('\nUSER node\n')[1]).toContain(compiles)
    expect(instruction('CMD')).toEqual([])
  })

  test('owns the folder where files are kept by default, before it is somebody else than root', () => {
    const config = loadConfig({ cwd: tmpdir(), env: {} })
    const makes = `RUN mkdir -p ${config.storage.path} && chown -R node:node .baton`
    const lines = readDoc('Dockerfile').split('\n')
    expect(lines).toContain(makes)
    expect(lines.indexOf(makes)).toBeLessThan(lines.indexOf('USER node'))
  })

  test('says which version it has, and by which licence', () => {
    const labels = Object.fromEntries(
      [...readDoc('Dockerfile').matchAll(/org\.opencontainers\.image\.(\w+)="([^"]*)"/g)].map(
        ([, key, value]) => [key, value],
      ),
    )
    expect(labels).toMatchObject({ version: manifest.version, licenses: manifest.license })
  })

  test('asks for health on the port that each of its processes has', () => {
    const [, command] = instruction('HEALTHCHECK')[0]!.split(' CMD ')
    expect(JSON.parse(command!)).toEqual(['bash', `${workdir}/${healthcheck.split('/').at(-1)}`])
    expect(instruction('ENV').some(pair => /^ADMIN_PORT=[1-9]\d*$/.test(pair))).toBe(true)
    expect(instruction('COPY').some(words => words.split(' ').includes(healthcheck))).toBe(true)
  })
})

describe('docker-compose.yml', () => {
  test('has one worker for every provider of the example, for webhooks and batches, and the API', () => {
    const config = loadConfig({ cwd: site, env: keys })
    const workers = [...Object.keys(config.providers), 'webhooks', 'batches'].map(name => `worker-${name}`)
    expect(Object.keys(batonServices).toSorted()).toEqual(['api', ...workers].toSorted())
    for (const [name, { command }] of roles) {
      const [, role, worked] = /^(\w+)(?:-(\w+))?$/.exec(name)!
      expect(command).toEqual([role, ...(worked ? [worked] : [])])
    }
  })

  test('shares the place where files are kept between the API and the batch workers alone', () => {
    const { storage } = loadConfig({ cwd: site, env: keys })
    const mount = `blobs:${join(workdir, storage.path)}`
    const sharing = roles.filter(([, { volumes }]) => volumes?.includes(mount)).map(([name]) => name)
    expect(sharing.toSorted()).toEqual(['api', 'worker-batches'])
    expect(Object.keys(compose.volumes)).toContain('blobs')
    for (const [name, { volumes }] of roles) {
      const config = { source: './baton.yaml', target: join(workdir, 'baton.yaml') }
      expect(volumes, name).toContainEqual(expect.objectContaining(config))
    }
  })

  test('keeps jobs safe in Redis, reachable from this machine alone', () => {
    const settings = redis.command.join(' ')
    expect(settings).toContain('--appendonly yes')
    expect(settings).toMatch(/--maxmemory \$\{REDIS_MAXMEMORY:-\d+gb\} --maxmemory-policy noeviction/)
    expect(redis.ports).toEqual(['127.0.0.1:6379:6379'])
    expect(redis.healthcheck?.test).toEqual(['CMD', 'redis-cli', '-e', 'ping'])
    expect(redis.environment?.REDISCLI_AUTH).toContain('REDIS_PASSWORD')
  })

  test.each(roles)('%s waits for Redis, and is given the time that a stop takes', (_, service) => {
    const { server } = loadConfig({ cwd: site, env: keys })
    expect(service.depends_on?.redis?.condition).toBe('service_healthy')
    expect(Number(service.stop_grace_period.replace('s', '')) * 1_000).toBeGreaterThan(
      server.shutdown_grace + 5_000,
    )
  })

  test.each(roles.filter(([name]) => name !== 'api'))('%s can be scaled', (_, service) => {
    expect(service.ports).toBeUndefined()
    expect(service.container_name).toBeUndefined()
  })

  test.each(roles)('%s starts with the example config, is healthy, and stops at once', async (_, service) => {
    const port = await findFreePort()
    const args = service.command
    const places = {
      REDIS_URL: server.url,
      ADMIN_PORT: String(await findFreePort()),
      ...(service.environment?.PORT && { PORT: String(port) }),
    }
    const env = { ...keys, ...service.environment, ...places }
    const baton = runBaton(args, { cwd: site, env })
    onTestFinished(() => baton.kill())
    await baton.logged('started')

    const healthy = () =>
      spawnSync('bash', [join(root, healthcheck)], {
        cwd: site,
        env: { PATH: process.env.PATH, ...env },
        encoding: 'utf8',
      })
    expect(healthy()).toMatchObject({ status: 0, stderr: '' })
    baton.signal('SIGTERM')
    expect(await baton.exited).toEqual({ code: 0, signal: null })
    expect(healthy().status).toBe(1)
  })

  test('the API does not start for others than loopback without a key for its clients', async () => {
    const { BATON_API_KEY: _, ...rest } = keys
    const env = { ...rest, ...batonServices.api!.environment, REDIS_URL: server.url }
    const baton = runBaton(['api'], { cwd: site, env })
    onTestFinished(() => baton.kill())
    expect((await baton.exited).code).toBe(1)
    expect(baton.output).toContain('api_keys')
  })
})
