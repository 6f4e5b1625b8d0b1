import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { loadConfig } from '../../src/config/load.ts'
import { configSchema } from '../../src/config/schema.ts'

const root = join(import.meta.dirname, '../..')
const example = readFileSync(join(root, 'baton.example.yaml'), 'utf8')
const keys = { OPENAI_API_KEY: 'sk-1', ANTHROPIC_API_KEY: 'sk-2' }

describe('baton.example.yaml', () => {
  test('the example is valid with the two keys that it asks for', () => {
    const config = loadConfig({ file: 'baton.example.yaml', cwd: root, env: keys })
    expect(Object.keys(config.providers)).toEqual(['openai', 'anthropic', 'local'])
    expect(config.api_keys).toEqual([])
  })

  test('the example names every setting of the schema', () => {
    const names = new Set<string>()
    const collect = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return
      if ('properties' in node) for (const name of Object.keys(node.properties as object)) names.add(name)
      Object.values(node).forEach(collect)
    }
    collect(z.toJSONSchema(configSchema, { unrepresentable: 'any' }))
    expect(names.size).toBeGreaterThan(40)
    expect([...names].filter(name => !new RegExp(`\\b${name}:`).test(example))).toEqual([])
  })

  test('where the example says defaults, they are', () => {
    const defaults = loadConfig({ cwd: import.meta.dirname, env: {} })
    const example = loadConfig({ file: 'baton.example.yaml', cwd: root, env: keys })
    const sections = ['server', 'jobs', 'webhooks', 'redis', 'storage', 'files', 'batches'] as const
    for (const section of sections) expect(example[section]).toEqual(defaults[section])
  })

  test('.env.example names the variables that people are expected to set', () => {
    const named = Object.keys(parseEnv(readFileSync(join(root, '.env.example'), 'utf8')))
    expect(named.toSorted()).toEqual(
      [
        'OPENAI_API_KEY',
        'ANTHROPIC_API_KEY',
        'BATON_API_KEY',
        'BATON_OPERATOR_KEY',
        'BATON_WEBHOOK_SECRET',
        'REDIS_URL',
        'HOST',
        'PORT',
        'ADMIN_HOST',
        'ADMIN_PORT',
        'REDIS_PASSWORD',
      ].toSorted(),
    )
  })
})
