import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { parser } from '@prometheus-io/lezer-promql'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { rows } from '../../deploy/grafana/board.ts'
import { dashboardOf } from '../../deploy/grafana/dashboard.ts'
import { boardText } from '../../deploy/grafana/generate.ts'
import { readDoc, root } from '../docs/markdown.ts'
import { everyMetric } from '../support/every-metric.ts'

const duration = z.string().regex(/^\d+[smhd]$/)
const rulesFile = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Baton[A-Z][A-Za-z]+$/),
          expr: z.string(),
          for: duration.optional(),
          labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']) }),
          annotations: z.strictObject({
            summary: z.string().max(80).endsWith('.'),
            description: z.string().endsWith('.'),
            runbook_url: z.string(),
          }),
        }),
      ),
    }),
  ),
})
const rules = rulesFile.parse(parse(readDoc('deploy/prometheus/rules.yaml'))).groups.flatMap(g => g.rules)

const labelsOf = new Map(
  everyMetric.flatMap(({ name, type, samples }) => {
    const labels = new Set(samples.flatMap(sample => Object.keys(sample.labels ?? {})))
    const names = type === 'histogram' ? ['_bucket', '_sum', '_count'].map(suffix => name + suffix) : [name]
    return names.map(each => [each, type === 'histogram' ? labels.add('le') : labels] as const)
  }),
)

/** Labels that a scrape adds. */
const added = ['instance', 'job']
/** A label of ours that a scrape names so, as it adds one of that name. */
const renamed = 'exported_instance'

interface Read {
  readonly faults: readonly string[]
  readonly metrics: readonly string[]
}

/** What is wrong with an expression, and the metrics that it names. */
const read = (expression: string): Read => {
  const text = expression.replaceAll('$__rate_interval', '5m').replaceAll('$provider', '.*')
  const faults: string[] = []
  const metrics: string[] = []
  const labels = new Set<string>()
  parser.parse(text).iterate({
    enter: ({ name, type, from, to }) => {
      const word = text.slice(from, to)
      if (type.isError) faults.push(`at ${from}: ${text.slice(0, from)}⚠${text.slice(from)}`)
      if (name === 'Identifier' && !metrics.includes(word)) metrics.push(word)
      if (name === 'LabelName') labels.add(word)
    },
  })
  const known = new Set(metrics.flatMap(metric => [...(labelsOf.get(metric) ?? [])]))
  const [unknown, strange] = [
    metrics.filter(metric => !labelsOf.has(metric)),
    [...labels].filter(
      label => !known.has(label) && !added.includes(label) && !(label === renamed && known.has('instance')),
    ),
  ]
  return {
    faults: [
      ...faults,
      ...unknown.map(metric => `no metric ${metric}`),
      ...strange.map(label => `no label ${label}`),
    ],
    metrics,
  }
}

describe('expressions', () => {
  test.each([
    ['sum by (provider) (baton_waiting_jobs', 'at 37'],
    ['max(baton_waiting_job)', 'no metric baton_waiting_job'],
    ['max by (tenant) (baton_waiting_jobs)', 'no label tenant'],
    ['rate(baton_job_duration_seconds[5m])', 'no metric baton_job_duration_seconds'],
    ['baton_dead_letters{queue="x"}', 'no label queue'],
  ])('%s is found to be wrong', (expression, fault) => {
    expect(read(expression).faults.join('\n')).toContain(fault)
  })

  test('a good one names its metric', () => {
    const good = 'sum by (le, provider) (rate(baton_job_queue_wait_seconds_bucket{class="bulk"}[5m])) > 0'
    expect(read(good)).toEqual({ faults: [], metrics: ['baton_job_queue_wait_seconds_bucket'] })
  })
})

describe('deploy/prometheus/rules.yaml', () => {
  test.each(rules.map(rule => [rule.alert, rule] as const))('%s asks for what there is', (_, rule) => {
    expect(read(rule.expr).faults).toEqual([])
    expect(read(rule.expr).metrics).not.toEqual([])
  })

  test('each alert once, with its section in docs/alerts.md, in the same order', () => {
    const names = rules.map(({ alert }) => alert)
    const headings = [...readDoc('docs/alerts.md').matchAll(/^## (\w+)$/gm)].map(([, name]) => name)
    expect(headings).toEqual(names)
    expect(new Set(names).size).toBe(names.length)
    expect(rules.map(({ annotations }) => annotations.runbook_url)).toEqual(
      names.map(name => `docs/alerts.md#${name.toLowerCase()}`),
    )
  })

  test('each alert is seen to fire in rules.test.yaml', () => {
    const tried = readDoc('deploy/prometheus/rules.test.yaml')
    expect(rules.filter(({ alert }) => !tried.includes(`labels: 'ALERTS{alertname="${alert}"`))).toEqual([])
  })

  const promtool = process.env.PATH?.split(delimiter)
    .map(folder => join(folder, 'promtool'))
    .find(path => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
  test.skipIf(promtool === undefined)('promtool agrees, where it is installed', async () => {
    const run = promisify(execFile)
    await run(promtool!, ['check', 'rules', join(root, 'deploy/prometheus/rules.yaml')])
    await run(promtool!, ['test', 'rules', join(root, 'deploy/prometheus/rules.test.yaml')])
  })
})

describe('deploy/grafana/baton.json', () => {
  const plans = rows.flatMap(row => row.panels)

  test('is what `npm run boards` makes', () => {
    expect(readDoc('deploy/grafana/baton.json')).toBe(boardText())
  })

  test.each(plans.map(plan => [plan.title, plan] as const))('%s asks for what there is', (_, plan) => {
    expect(plan.queries.flatMap(([expression]) => read(expression).faults)).toEqual([])
    expect(plan.help).toMatch(/\.$/)
    for (const [expression, legend] of plan.queries) {
      const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!)
      const known = [...read(expression).metrics.flatMap(metric => [...labelsOf.get(metric)!]), ...added]
      // What an aggregation keeps stands in its text.
      for (const label of shown) expect(expression.includes(' by (') ? expression : known).toContain(label)
    }
  })

  test('every metric of docs/metrics.md is on it', () => {
    const asked = new Set(plans.flatMap(plan => plan.queries.flatMap(([text]) => read(text).metrics)))
    const missing = everyMetric
      .filter(({ name }) => ![name, `${name}_bucket`].some(each => asked.has(each)))
      .map(({ name }) => name)
    expect(missing).toEqual(['baton_redis_full', 'process_start_time_seconds'])
  })

  test('no two panels have an id or a place in common', () => {
    const { panels } = dashboardOf(rows) as unknown as {
      panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[]
    }
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true)
  })
})
