import { globSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { vendors } from '../../src/cli/init/vendors.ts'
import { knownModels } from '../../src/config/known-models.ts'
import { presetOf } from '../../src/config/presets.ts'
import { docPaths, readDoc, root } from './markdown.ts'

interface PricePackage {
  calcPrice(usage: object, model: string, options: { readonly providerId: string }): unknown
}
const { calcPrice } = createRequire(import.meta.url)('@pydantic/genai-prices') as PricePackage

/** Names of models by which vendors are known, and whose they are. */
const named: readonly (readonly [like: RegExp, vendor: string])[] = [
  [/\bgpt-\d[\w.]*(?:-[a-z0-9]+)*\b/g, 'openai'],
  [/\bclaude-(?:opus|sonnet|haiku|\d)[\w.]*(?:-[a-z0-9]+)*\b/g, 'anthropic'],
  [/\bgemini-\d[\w.]*(?:-[a-z0-9]+)*\b/g, 'google'],
  [/\bgrok-\d[\w.]*(?:-[a-z0-9]+)*\b/g, 'x-ai'],
  [/\bdeepseek-(?:v\d|chat|reasoner)[\w.]*(?:-[a-z0-9]+)*\b/g, 'deepseek'],
  [/\bkimi-k\d[\w.]*(?:-[a-z0-9]+)*\b/g, 'moonshotai'],
  [/\bcommand-[ar]\b[\w-]*/g, 'cohere'],
  [/\b(?:mistral|ministral)-(?:large|medium|small)[\w-]*/g, 'mistral'],
]

const papers = [
  ...docPaths,
  'baton.example.yaml',
  ...globSync('examples/**/*.{yaml,ts,py,md,jsonl}', { cwd: root }),
]

describe('names of models', () => {
  test.each(papers)('%s names models that there are', paper => {
    const text = readDoc(paper)
    const strangers = named.flatMap(([like, vendor]) =>
      [...new Set(text.match(like))].filter(
        model =>
          !/-(?:as-backup|deployment)$/.test(model) && calcPrice({}, model, { providerId: vendor }) === null,
      ),
    )
    expect(strangers).toEqual([])
  })

  test('what baton init proposes is sold', () => {
    for (const { type, usual } of vendors) {
      const known = knownModels({ providers: { it: { type } } })
      // Deployments have the names that a person gave them, and ids of Bedrock go by the region.
      const isNamedAlike = type !== 'azure' && type !== 'bedrock'
      const isSold = presetOf(type) === null || presetOf(type)!.prices !== undefined
      expect([type, usual.length > 0]).toEqual([type, isSold && isNamedAlike])
      for (const model of usual)
        expect([type, model, known('it', model)?.price]).toEqual([type, model, expect.anything()])
    }
  })
})
