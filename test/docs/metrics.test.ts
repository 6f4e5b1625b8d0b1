import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Metric, renderMetrics } from '../../src/api/operator/metrics-text.ts'
import { everyMetric as metrics } from '../support/every-metric.ts'
import { parseExposition } from '../support/exposition.ts'
import { readDoc, root, tableAfter } from './markdown.ts'

/** A histogram has no series of its own name. */
const namesOf = ({ name }: Metric): string[] => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]

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

  test('every metric that a page of docs names is there', () => {
    const known = new Set(metrics.flatMap(namesOf))
    // Keys of metadata begin so, too.
    const others = ['batches.md', 'clients.md']
    const words = ['README.md', ...readdirSync(`${root}/docs`).map(name => `docs/${name}`)]
      .filter(path => path.endsWith('.md') && !others.some(name => path.endsWith(name)))
      .flatMap(path =>
        [...readDoc(path).matchAll(/`(baton_[a-z_]+)[`{]/g)].map(([, name]) => `${path}: ${name}`),
      )
    expect(words.length).toBeGreaterThan(50)
    expect(words.filter(word => !known.has(word.split(': ')[1]!))).toEqual([])
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
    const text = renderMetrics(metrics)
    expect([...parseExposition(text).keys()]).toEqual(metrics.map(({ name }) => name))
    const lines = text.split('\n')
    for (const { name, type } of metrics) {
      expect(lines.filter(line => line.startsWith(`# HELP ${name} `))).toHaveLength(1)
      expect(lines).toContain(`# TYPE ${name} ${type}`)
    }
  })
})
