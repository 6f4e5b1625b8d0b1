import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { configSchema } from '../../src/config/schema.ts'
import { verdictKinds } from '../../src/domain/classify/verdict.ts'
import { errorCodes } from '../../src/domain/errors.ts'
import { jobErrorCodes } from '../../src/domain/job.ts'
import { readDoc, rowsOf, tableAfter, uncode } from './markdown.ts'

const errors = readDoc('docs/errors.md')

describe('tables in the docs', () => {
  test('docs/errors.md lists every error code of requests, with its status and meaning', () => {
    const rows = tableAfter(errors, 'Requests are answered with these')
    const listed = rows.map(([code, status, help]) => [uncode(code!), { status: Number(status), help }])
    expect(Object.fromEntries(listed)).toEqual(errorCodes)
  })

  test('docs/errors.md lists every error code of jobs, with its meaning', () => {
    const rows = tableAfter(errors, 'Jobs end with these')
    expect(Object.fromEntries(rows.map(([code, help]) => [uncode(code!), help]))).toEqual(jobErrorCodes)
  })

  test('docs/failures.md lists every verdict', () => {
    const rows = tableAfter(readDoc('docs/failures.md'), '## What an attempt can mean')
    expect(rows.map(([verdict]) => uncode(verdict!)).toSorted()).toEqual(verdictKinds.toSorted())
  })

  interface JsonSchema {
    readonly properties?: Record<string, JsonSchema>
    readonly additionalProperties?: JsonSchema | boolean
    readonly items?: JsonSchema
  }

  /** Every setting that a person may write: `providers.<name>.type`, `api_keys[].key`. */
  const settingsOf = (schema: JsonSchema, path: string): string[] =>
    Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
      const key = path === '' ? name : `${path}.${name}`
      const { additionalProperties: entry, items } = child
      return [
        key,
        ...settingsOf(child, key),
        ...(typeof entry === 'object' ? settingsOf(entry, `${key}.<name>`) : []),
        ...(items ? settingsOf(items, `${key}[]`) : []),
      ]
    })

  const price = { input: 1, output: 1 }
  /** Has what is required, and one of everything that has settings of its own. */
  const sample = {
    providers: {
      x: {
        type: 'simulated',
        limits: {},
        breaker: {},
        backoff: {},
        recovery: {},
        health_check: {},
        models: { x: { price } },
      },
    },
    models: { x: { provider: 'x', price, cache: {}, mirror: { to: 'y' } } },
    api_keys: [{ key: 'k' }],
    storage: { s3: { bucket: 'b' } },
    redis: { sentinel: { name: 'm', nodes: ['s:1'] }, cluster: { nodes: ['n:1'] } },
  }

  type Tree = Record<string, unknown>

  const pathOf = (key: string): string[] => key.replaceAll('<name>', 'x').replaceAll('[]', '.0').split('.')

  const at = (tree: unknown, path: readonly string[]): unknown =>
    path.reduce<unknown>((node, name) => (node as Tree | undefined)?.[name], tree)

  /** The sample with one setting written, or left out where there is no value. */
  const sampleWith = (key: string, value?: unknown): Tree => {
    const tree = structuredClone(sample) as Tree
    const path = pathOf(key)
    const name = path.pop()!
    let node = tree
    for (const step of path) {
      node[step] ??= {}
      node = node[step] as Tree
    }
    if (value === undefined) delete node[name]
    else node[name] = value
    return tree
  }

  const asWritten = (cell: string): unknown => {
    const text = uncode(cell)
    return /^([[{]|\d+$|false$|true$)/.test(text) ? JSON.parse(text) : text
  }

  const configRows = rowsOf(readDoc('docs/config.md')).filter(([key]) => key!.startsWith('`'))

  test('docs/config.md knows every setting, and no other', () => {
    const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' })
    const settings = settingsOf(schema as JsonSchema, '')
    expect(settings.length).toBeGreaterThan(50)
    expect(configRows.map(([key]) => uncode(key!)).toSorted()).toEqual(settings.toSorted())
  })

  test.each(configRows)('docs/config.md says what becomes of %s when it is left out: %s', (cell, value) => {
    const key = uncode(cell!)
    const without = configSchema.safeParse(sampleWith(key))
    if (value === 'required') expect(without.success).toBe(false)
    else if (value === '–') expect(at(without.data, pathOf(key))).toBeUndefined()
    else expect(configSchema.parse(sampleWith(key, asWritten(value!)))).toEqual(without.data)
  })
})
