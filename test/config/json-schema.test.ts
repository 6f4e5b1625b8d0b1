import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { configJsonSchema, configJsonSchemaText } from '../../release/config-schema.ts'

const root = join(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

const accepts = new Ajv({ strict: false, allErrors: true }).compile(configJsonSchema())
const faultsOf = (config: unknown): string[] => {
  accepts(config)
  return (accepts.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}

const variable = (words: string): string => `$\{${words}}`
const provider = (settings: object) => ({ providers: { a: { type: 'openai', ...settings } } })

describe('baton.schema.json', () => {
  test('is what `npm run schema` writes', () => {
    expect(read('baton.schema.json')).toBe(configJsonSchemaText())
  })

  test.each(['baton.example.yaml', ...globSync('examples/*.yaml', { cwd: root })])('accepts %s', file => {
    expect(faultsOf(parse(read(file), { merge: true }))).toEqual([])
  })

  test.each([
    ['a list of capabilities', { models: { m: { provider: 'a', capabilities: ['tools'] } } }],
    ['a key alone', { api_keys: ['k', { key: 'l', role: 'operator' }] }],
    ['a variable for a number', { server: { port: variable('PORT:-8000') } }],
    ['a variable for a word of a list', provider({ upstream_stream: variable('STREAM') })],
    ['a variable within a duration', provider({ timeout: `${variable('SECONDS')}s` })],
  ])('accepts %s', (_, config) => {
    expect(faultsOf(config)).toEqual([])
  })

  test.each([
    ['a typo of a setting', provider({ timout: '5s' })],
    ['a typo of a part', { provders: {} }],
    ['a setting at the wrong place', { timeout: '5s' }],
    ['a word that there is not', provider({ type: 'opnai' })],
    ['a duration without a unit', provider({ timeout: '30' })],
    ['a number of the wrong kind', { server: { port: 80.5 } }],
    ['a provider without a type', { providers: { a: { api_key: 'k' } } }],
  ])('refuses %s', (_, config) => {
    expect(faultsOf(config)).not.toEqual([])
  })

  test('tells the meaning of every setting', () => {
    const silent: string[] = []
    const walk = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return
      const { properties = {} } = node as { properties?: Record<string, { description?: string }> }
      for (const [name, child] of Object.entries(properties))
        if (!child.description) silent.push(`${path}.${name}`)
      for (const [name, child] of Object.entries(node)) walk(child, `${path}/${name}`)
    }
    walk(configJsonSchema(), '')
    expect(silent).toEqual([])
  })
})
