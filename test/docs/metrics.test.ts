import { describe, expect, test } from 'vitest'
import { type Figures, metricsOf } from '../../src/api/operator/metrics.ts'
import { renderMetrics } from '../../src/api/operator/metrics-text.ts'
import { healthyCircuit } from '../../src/domain/circuit.ts'
import type { Series } from '../../src/telemetry/histogram.ts'
import { readDoc, tableAfter } from './markdown.ts'

const series = (...labels: readonly string[]): Series => ({
  ...{ labels: Object.fromEntries(labels.map(label => [label, 'x'])), counts: [1], sum: 0 },
})
const tokensUsed = { input: 0, cache_read: 0, cache_write: 0, output: 0 }
const counts = { attempts: { ok: 1 }, handovers: 0, parks: 0, ends: { succeeded: 0, failed: 0 } }
const figures: Figures = {
  accepted: 0,
  waiting: new Map([['webhooks', 0]]),
  circuits: [healthyCircuit('a')],
  entries: [{ scope: 'key:a#1', state: 'stopped' }],
  workers: [
    {
      ...{ provider: 'a', instance: 'i', pid: 1, breaker: 'closed', callsInFlight: 0, concurrency: 1 },
      ...{ seenAtMs: 0, counts },
    },
  ],
  withoutWorkerSinceMs: new Map([['a', 0]]),
  workersWanted: new Map([['openai', 1]]),
  webhookWorkers: [{ instance: 'i', counts: { delivered: 0, failed: 0, dead: 0 }, seenAtMs: 0 }],
  processes: [{ instance: 'i', ends: { cancelled: 0, expired: 0 }, seenAtMs: 0 }],
  deadLetters: 0,
  schedule: 0,
  held: { bytes: 0, connections: 0, waiting: { answer: 0 }, refusals: { bytes: 0 } },
  measured: {
    queueWait: [series('provider', 'class')],
    attempts: [series('provider', 'model', 'verdict')],
    firstTokens: [series('provider', 'model')],
    jobs: [series('route', 'status')],
    used: [{ provider: 'a', model: 'm', tokens: tokensUsed, costUsd: 0 }],
  },
  memory: { usedBytes: 0, limitBytes: 0, isFull: false },
  process: { residentBytes: 0, cpuSeconds: 0, startedAtSeconds: 0 },
}
const metrics = metricsOf(figures)

describe('docs/metrics.md', () => {
  test('docs/metrics.md has every metric with its labels', () => {
    const own = metrics.filter(({ name }) => name.startsWith('baton_'))
    const rows = own.map(({ name, samples }) => [
      `\`${name}\``,
      Object.keys(samples[0]!.labels ?? {})
        .map(label => `\`${label}\``)
        .join(', '),
    ])
    const listed = tableAfter(readDoc('docs/metrics.md'), '| metric |').map(([name, labels]) => [
      name,
      labels,
    ])
    expect(listed.slice(0, -1)).toEqual(rows)
  })

  const units = ['seconds', 'bytes', 'ratio']
  /** Units that have a base unit of their own, and what the text format writes behind the names of histograms. */
  const reserved = [
    'ms',
    'milliseconds',
    'minutes',
    'hours',
    'kb',
    'mb',
    'percent',
    'count',
    'sum',
    'bucket',
    'info',
  ]

  test.each(metrics.map(metric => [metric.name, metric] as const))(
    '%s follows the conventions of Prometheus',
    (name, { type, help, samples }) => {
      expect(name).toMatch(/^(baton|process)(_[a-z]+)+$/)
      expect(name.endsWith('_total')).toBe(type === 'counter')
      const words = name.replace(/_total$/, '').split('_')
      expect(words.slice(0, -1).filter(word => units.includes(word))).toEqual([])
      expect(words.filter(word => reserved.includes(word))).toEqual([])
      expect(help).toMatch(/^[A-Z0-9].*\.$/)
      for (const label of samples.flatMap(sample => Object.keys(sample.labels ?? {})))
        expect(label).toMatch(/^(?!le$|quantile$|job$)[a-z]+(_[a-z]+)*$/)
    },
  )

  test('every metric is exposed with its help and its type', () => {
    const lines = renderMetrics(metrics).split('\n')
    for (const { name, type } of metrics) {
      expect(lines.filter(line => line.startsWith(`# HELP ${name} `))).toHaveLength(1)
      expect(lines).toContain(`# TYPE ${name} ${type}`)
    }
  })
})
