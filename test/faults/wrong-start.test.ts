import { access, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Deployment } from '../../harness/deployment.ts'
import { startNode } from '../../harness/redis/node.ts'
import { findFreePort } from '../../src/redis/dev/probe.ts'
import { openBaton } from '../support/open-baton.ts'
import { ownRedis, testRedis } from '../support/redis.ts'

let site: Deployment
afterEach(() => site.close())

/** A worker that is up waits for Redis as long as it takes; a start that does so is found by this. */
const endlessMs = 60_000

const config = (more: object = {}) => ({
  redis: testRedis(),
  server: { port: 0 },
  providers: { first: { type: 'openai', api_key: 'key' } },
  models: { plain: { provider: 'first' } },
  ...more,
})

/** What a process says that does not start, and how long it took. */
const refusal = async (document: object, ...args: string[]) => refusalWith(1, document, ...args)

const refusalWith = async (code: number, document: object, ...args: string[]) => {
  site = await openBaton({ level: 'processes', config: document })
  const startedAt = performance.now()
  const refused = site.run(...args)
  const exit = await refused.exited
  expect(exit).toEqual({ code, signal: null })
  // A person is to read it: sentences, no traces.
  expect(refused.output).not.toMatch(/\n +at |not started/)
  return { said: refused.output, tookMs: performance.now() - startedAt }
}

describe('a process that cannot do what it is told', () => {
  it.each([
    [['wroker', 'first'], "Unknown role 'wroker'. Did you mean 'worker'?"],
    [
      ['worker', 'webhoks'],
      "There is no worker 'webhoks'. Did you mean 'webhooks'? Name what to work on: first, webhooks",
    ],
    [['worker'], 'Name what to work on: first, webhooks'],
    [['worker', 'first', 'second'], "Unexpected argument 'second'"],
    [['api', 'first'], "Unexpected argument 'first'"],
    [['--confg', 'x.yaml'], "Unknown option '--confg'. Did you mean '--config'?"],
    [['--config', '--install-redis'], '--config needs a value.'],
    [['--install-redis=yes'], '--install-redis takes no value.'],
  ])('%j: says what is wrong and how it is used', async (args, sentence) => {
    const { said } = await refusalWith(2, config(), ...args)
    expect(said).toContain(sentence)
    expect(said).toContain('Usage: ')
  })

  it('names every fault of its config at once, and starts nothing', async () => {
    const { said } = await refusal({
      server: { prot: 0 },
      jobs: { lease: '5ms' },
      providers: { first: { type: 'opnai', api_key: 'key' } },
      models: { plain: { provider: 'frist' } },
    })
    for (const fault of ['server.prot', 'jobs.lease', 'providers.first.type', 'frist']) {
      expect(said).toContain(fault)
    }
    await expect(access(join(site.dir, '.baton'))).rejects.toThrow('ENOENT')
  })

  it('refuses a Redis that would lose jobs', async () => {
    const forgetful = await ownRedis('--appendonly', 'no')
    try {
      const { said } = await refusal(config({ redis: { url: forgetful.url } }))
      expect(said).toContain('Redis keeps no append-only file')
    } finally {
      await forgetful.stop()
    }
  })

  it('names the Redis that is not there, within seconds and without its password', async () => {
    const { said, tookMs } = await refusal(config({ redis: { url: 'redis://:hunter2@127.0.0.1:1' } }), 'api')
    expect(said).toContain('Redis at 127.0.0.1:1 cannot be reached (ECONNREFUSED)')
    expect(said).not.toContain('hunter2')
    expect(tookMs).toBeLessThan(endlessMs)
  })

  it('names the Redis that hangs, within seconds', async () => {
    const frozen = await ownRedis()
    frozen.freeze()
    try {
      const { said, tookMs } = await refusal(config({ redis: { url: frozen.url } }), 'worker', 'first')
      expect(said).toMatch(/Redis at 127\.0\.0\.1:\d+ cannot be reached/)
      expect(tookMs).toBeLessThan(endlessMs)
    } finally {
      frozen.thaw()
      await frozen.stop()
    }
  })

  it('names Sentinels that know no such master, and a Cluster that is none', async () => {
    const { url } = testRedis()
    const node = url.replace('redis://', '')
    const cluster = await refusal(config({ redis: { cluster: { nodes: [node] } } }), 'api')
    expect(cluster.said).toContain(`The Redis Cluster of ${node} cannot be reached (`)
    expect(cluster.said).toContain('cluster support disabled')
    expect(cluster.tookMs).toBeLessThan(endlessMs)
    await site.close()
    const dir = await mkdtemp(join(tmpdir(), 'baton-lone-sentinel-'))
    const sentinel = await startNode({ dir, port: await findFreePort(), config: [], args: ['--sentinel'] })
    try {
      const nodes = [`127.0.0.1:${sentinel.port}`]
      const { said, tookMs } = await refusal(config({ redis: { sentinel: { name: 'other', nodes } } }), 'api')
      expect(said).toContain(
        `The master "other" of the Sentinels at ${nodes} cannot be reached (they know no master of that name)`,
      )
      expect(tookMs).toBeLessThan(endlessMs)
    } finally {
      await sentinel.kill()
      await rm(dir, { recursive: true })
    }
  })

  it('says that its port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise(listening => other.once('listening', listening))
    const { port } = other.address() as AddressInfo
    try {
      const { said } = await refusal(config({ server: { port } }))
      expect(said).toContain(`The API cannot listen on 127.0.0.1:${port}: the port is in use.`)
    } finally {
      other.close()
    }
  })
})
