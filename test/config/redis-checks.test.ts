import { describe, expect, test } from 'vitest'
import type { Fault } from '../../src/config/fault.ts'
import { loadConfig } from '../../src/config/load.ts'
import { configFolder, faultsOf, withProvider } from './config-folder.ts'

const sentinel = '{name: mymaster, nodes: ["a:26379", "[::1]:26379"]}'
const cluster = '{nodes: ["a:6379"]}'

const cases: [name: string, text: string, fault: Partial<Fault>][] = [
  [
    'a URL beside Sentinels',
    `redis:\n  url: redis://a\n  sentinel: ${sentinel}`,
    { code: 'relation', path: 'redis.url', message: 'url and sentinel are both set; keep one', line: 2 },
  ],
  [
    'Sentinels beside a Cluster',
    `redis:\n  cluster: ${cluster}\n  sentinel: ${sentinel}`,
    {
      code: 'relation',
      path: 'redis.sentinel',
      message: 'sentinel and cluster are both set; keep one',
      line: 3,
    },
  ],
  [
    'all three',
    `redis: {url: redis://a, cluster: ${cluster}, sentinel: ${sentinel}}`,
    { code: 'relation', path: 'redis.url', message: 'url, sentinel and cluster are all set; keep one' },
  ],
  [
    'a node without its port',
    'redis: {cluster: {nodes: ["a:6379", b]}}',
    { code: 'relation', path: 'redis.cluster.nodes[1]', message: 'expected host:port', suggestion: 'b:6379' },
  ],
  [
    'a Sentinel without its port',
    'redis: {sentinel: {name: m, nodes: [a]}}',
    { code: 'relation', path: 'redis.sentinel.nodes[0]', suggestion: 'a:26379' },
  ],
  [
    'a URL in place of a node',
    'redis: {cluster: {nodes: ["redis://a:6380/"]}}',
    { code: 'relation', path: 'redis.cluster.nodes[0]', suggestion: 'a:6380' },
  ],
  [
    'a port that there is none',
    'redis: {cluster: {nodes: ["a:70000"]}}',
    { code: 'relation', path: 'redis.cluster.nodes[0]', message: 'expected host:port' },
  ],
  [
    'Sentinels without the name of a master',
    'redis: {sentinel: {nodes: ["a:1"]}}',
    { code: 'invalid', path: 'redis.sentinel.name', message: 'is required' },
  ],
  [
    'a misspelt setting of Sentinels',
    'redis: {sentinel: {name: m, nodes: ["a:1"], sentinel_pasword: x}}',
    { code: 'unknown_key', path: 'redis.sentinel.sentinel_pasword', suggestion: 'sentinel_password' },
  ],
  [
    'replicas of the private server',
    'redis: {wait_replicas: 1}',
    {
      code: 'relation',
      path: 'redis.wait_replicas',
      message: 'the private server has no replicas; name a Redis that has',
    },
  ],
]

describe('checks across redis settings', () => {
  test.each(cases)('%s is one fault', (_, text, fault) => {
    expect(faultsOf(text)).toEqual([expect.objectContaining(fault)])
  })

  test('a password that stands in a node is not shown', () => {
    const [fault] = faultsOf('redis: {cluster: {nodes: ["redis://:hunter2@a:6379"]}}')
    expect(fault).toMatchObject({ path: 'redis.cluster.nodes[0]', message: 'expected host:port' })
    expect(JSON.stringify(fault)).not.toContain('hunter2')
  })

  test('REDIS_URL beside Sentinels is a fault, and says where it comes from', () => {
    const folder = configFolder({ 'baton.yaml': withProvider(`redis: {sentinel: ${sentinel}}`) })
    const load = () => loadConfig({ cwd: folder, env: { REDIS_URL: 'redis://b' } })
    expect(load).toThrow('redis.url: url and sentinel are both set; keep one (from REDIS_URL)')
  })

  test('each form stands alone', () => {
    for (const form of [`sentinel: ${sentinel}`, `cluster: ${cluster}`, 'url: redis://a']) {
      const cwd = configFolder({ 'baton.yaml': withProvider(`redis: {${form}, wait_replicas: 1}`) })
      expect(loadConfig({ cwd, env: {} }).redis.wait_replicas).toBe(1)
    }
  })
})
