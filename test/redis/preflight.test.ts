import { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { ask } from '../../harness/redis/node.ts'
import { startClusterTopology } from '../../harness/redis/topology.ts'
import { createApiRedis } from '../../src/redis/connect.ts'
import { checkRedis, judgeRedis, type PreflightOptions, parseInfo } from '../../src/redis/preflight.ts'
import { type OwnRedis, ownRedis } from '../support/redis.ts'
import { placeOfTopology } from './place-of-topology.ts'

const good = {
  redis_version: '7.2.4',
  maxmemory: '1000000000',
  maxmemory_policy: 'noeviction',
  aof_enabled: '1',
  loading: '0',
  role: 'master',
  cluster_enabled: '0',
}
const judge = (
  facts: Record<string, string>,
  options: PreflightOptions & { appendfsync?: string; inCluster?: boolean } = {},
) => judgeRedis(new Map(Object.entries({ ...good, ...facts })), { appendfsync: null, ...options })

describe('facts about a Redis', () => {
  it('that are all good bring neither warning nor refusal', () => {
    expect(judge({}, { appendfsync: 'everysec' })).toEqual({ warnings: [], refusals: [] })
  })

  it.each([
    [{ redis_version: '6.2.14' }, /cannot end jobs when it is full\. Install 7\.0\.8 or later/],
    [{ redis_version: '5.0.7' }, /Install 7\.0\.8 or later/],
    [{ maxmemory: '1000000', maxmemory_policy: 'volatile-lru' }, /Set `maxmemory-policy` to `noeviction`/],
    [{ aof_enabled: '0' }, /Set `appendonly` to `yes`/],
    [{ loading: '1' }, /Start again when it has finished/],
    [{ role: 'slave' }, /Set the Redis URL to its master/],
    [{ cluster_enabled: '1' }, /Name nodes of it under `redis.cluster`/],
  ])('%j is refused, saying what to do', (facts, sentence) => {
    expect(judge(facts)).toEqual({ warnings: [], refusals: [expect.stringMatching(sentence)] })
  })

  it.each([
    [{ redis_version: '7.0.0' }, {}, /Install 7\.0\.8/],
    [{ redis_version: '7.0.7' }, {}, /Install 7\.0\.8/],
    [{ maxmemory: '0' }, {}, /Set `maxmemory` to half of what there is/],
    [{ maxmemory: '0', maxmemory_policy: 'allkeys-lru' }, {}, /Set `maxmemory-policy` to `noeviction`/],
    [{ aof_enabled: '0' }, { allowVolatile: true }, /Set `appendonly` to `yes`/],
    [{}, { appendfsync: 'no' }, /Set it to `everysec`/],
  ])('%j with %j is warned about', (facts, options, sentence) => {
    expect(judge(facts, options)).toEqual({ warnings: [expect.stringMatching(sentence)], refusals: [] })
  })

  it.each([
    [{ connected_slaves: '1' }, {}, /loses jobs that were accepted and results.*`redis\.wait_replicas`/],
    [{}, { failsOver: true }, /Set `min-replicas-to-write`/],
    [{ connected_slaves: '2' }, { waitReplicas: 1 }, /loses results and progress.*`min-replicas-to-write`/],
    [
      { connected_slaves: '1', min_slaves_good_slaves: '1' },
      { waitReplicas: 2 },
      /`redis\.wait_replicas` is 2, and there are 1/,
    ],
  ])('%j with %j is warned about, as a fail-over may lose something', (facts, options, sentence) => {
    expect(judge(facts, options)).toEqual({ warnings: [expect.stringMatching(sentence)], refusals: [] })
  })

  it('that bound what a fail-over loses bring no warning, nor does a node of a cluster that is one', () => {
    const bounded = { connected_slaves: '2', min_slaves_good_slaves: '2' }
    expect(judge(bounded, { failsOver: true, waitReplicas: 1 }).warnings).toEqual([])
    expect(judge({ cluster_enabled: '1' }, { inCluster: true })).toEqual({ warnings: [], refusals: [] })
  })

  it('that Valkey tells are judged by its own name: it says to be Redis 7.2.4', () => {
    // The lines of Valkey 8.1 in its manual.
    const valkey = { redis_version: '7.2.4', server_name: 'valkey', valkey_version: '8.1.0' }
    expect(judge(valkey)).toEqual({ warnings: [], refusals: [] })
    expect(judge({ ...valkey, redis_version: '5.0.0' }).refusals).toEqual([])
    expect(judge({ ...valkey, aof_enabled: '0' }).refusals).toHaveLength(1)
  })

  it.each(['7.0.8', '7.0.15', '8.0.0', '10.0.0'])('version %s is good', version => {
    expect(judge({ redis_version: version }).warnings).toEqual([])
  })

  it('that a hosted Redis hides are warned about, save for the missing append-only file', () => {
    const { warnings, refusals } = judgeRedis(new Map(), { appendfsync: null })
    expect(warnings).toEqual([expect.stringContaining('version'), expect.stringContaining('eviction policy')])
    expect(refusals).toEqual([expect.stringContaining('append-only')])
  })

  it('are the lines of INFO, whose values may hold colons', () => {
    expect([...parseInfo('# Server\r\nredis_version:7.0.15\r\nos:a:b\r\nempty:\r\n')]).toEqual([
      ['redis_version', '7.0.15'],
      ['os', 'a:b'],
      ['empty', ''],
    ])
  })
})

describe('a running Redis', () => {
  const cleanups: (() => unknown)[] = []
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  async function start(...args: string[]): Promise<{ server: OwnRedis; redis: Redis }> {
    const server = await ownRedis(...args)
    cleanups.push(server.stop)
    const redis = new Redis(server.url)
    cleanups.push(() => redis.disconnect())
    return { server, redis }
  }

  it('of our own making passes', async () => {
    const { redis } = await start()
    expect(await checkRedis(redis)).toEqual({ warnings: [], refusals: [] })
  })

  it('that evicts keys and one that keeps no file are refused', async () => {
    const { redis } = await start(
      '--maxmemory',
      '100mb',
      '--maxmemory-policy',
      'allkeys-lru',
      '--appendonly',
      'no',
    )
    expect((await checkRedis(redis)).refusals).toEqual([
      expect.stringContaining('`maxmemory-policy` is `allkeys-lru`'),
      expect.stringContaining('`appendonly`'),
    ])
  })

  it('that keeps no file may be allowed', async () => {
    const { redis } = await start('--appendonly', 'no')
    expect(await checkRedis(redis, { allowVolatile: true })).toEqual({
      warnings: [expect.stringContaining('`appendonly`')],
      refusals: [],
    })
  })

  it('that is a replica, or a node of a cluster, is refused', async () => {
    const { redis } = await start()
    await redis.replicaof('127.0.0.1', 1)
    expect((await checkRedis(redis)).refusals).toEqual([expect.stringContaining('replica')])
    const node = await start('--cluster-enabled', 'yes')
    expect((await checkRedis(node.redis)).refusals).toEqual([expect.stringContaining('cluster')])
  })

  it('that is a cluster is judged by each of its masters', async () => {
    const topology = await startClusterTopology()
    cleanups.push(topology.stop)
    const connection = createApiRedis(placeOfTopology(topology), pino({ level: 'silent' }))
    cleanups.push(() => connection.disconnect())
    if (connection.status !== 'ready') await new Promise<void>(ready => connection.once('ready', ready))
    expect(await checkRedis(connection, { waitReplicas: 1 })).toEqual({
      warnings: [expect.stringMatching(/there are 0 replicas[^(]*$/)],
      refusals: [],
    })
    const [, second] = topology.masters
    await ask(second!.port, redis => redis.config('SET', 'appendonly', 'no'))
    expect((await checkRedis(connection)).refusals).toEqual([
      expect.stringMatching(`\`appendonly\` to \`yes\`. \\(127.0.0.1:${second!.port}\\)$`),
    ])
  })

  it('passes also where CONFIG is forbidden, and has its fsync judged where it is not', async () => {
    const { redis } = await start('--appendfsync', 'no')
    expect((await checkRedis(redis)).warnings).toEqual([expect.stringContaining('`appendfsync`')])
    await redis.acl('SETUSER', 'default', '-config')
    expect(await checkRedis(redis)).toEqual({ warnings: [], refusals: [] })
  })
})
