import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Endpoint } from '../../src/domain/endpoint.ts'
import { readDoc, root } from './markdown.ts'
import { chatProbes, messageProbes, type Probe, responseProbes } from './translation/probes.ts'
import {
  chatTargets,
  messageTargets,
  openTarget,
  responseTargets,
  type Target,
} from './translation/targets.ts'

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

/** The table of a format: for each field what becomes of it, at each target. */
const tableOf = async (endpoint: Endpoint, probes: readonly Probe[], targets: readonly Target[]) => {
  const judges = await Promise.all(targets.map(target => openTarget(target, endpoint)))
  const head = ['field', 'value', ...targets.map(({ type, model }) => `${type} (${model})`)]
  const rows = [row(head), row(head.map(() => '---'))]
  for (const probe of probes) {
    const fates: string[] = []
    for (const judge of judges) fates.push(await judge(probe))
    rows.push(row([`\`${probe.field}\``, probe.value, ...fates]))
  }
  return `${rows.join('\n')}\n`
}

const formats = [
  ['/v1/chat/completions', chatProbes, chatTargets],
  ['/v1/messages', messageProbes, messageTargets],
  ['/v1/responses', responseProbes, responseTargets],
] as const

describe('docs/translation.md', () => {
  test.each(formats)(
    'docs/translation.md says what becomes of every field of %s',
    async (endpoint, probes, targets) => {
      const table = await tableOf(endpoint, probes, targets)
      expect(readDoc('docs/translation.md')).toContain(table)
    },
  )

  const typesOf = (path: string, name: string): string[] => {
    const text = readFileSync(join(root, 'node_modules', path), 'utf8')
    const [body = ''] = new RegExp(`export interface ${name} \\{.*?^\\}`, 'ms').exec(text) ?? []
    return [...body.matchAll(/^ {4}([a-z_]+)\??:/gm)].map(([, field]) => field!)
  }

  test.each([
    ['openai/resources/chat/completions/completions.d.ts', 'ChatCompletionCreateParamsBase', chatProbes],
    ['@anthropic-ai/sdk/resources/messages/messages.d.ts', 'MessageCreateParamsBase', messageProbes],
    ['openai/resources/responses/responses.d.ts', 'ResponseCreateParamsBase', responseProbes],
  ] as const)('every field that %s documents is among them', (path, name, probes) => {
    const fields = typesOf(path, name).filter(field => field !== 'model')
    expect(fields.length).toBeGreaterThan(15)
    const probed = new Set(probes.map(({ field }) => field.split('.')[0]))
    expect(fields.filter(field => !probed.has(field))).toEqual([])
  })
})
