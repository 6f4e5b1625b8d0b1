import { type Series, secondsBounds } from '../../telemetry/histogram.ts'

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** Figures of one name. A counter's ends in `_total`. */
interface Figures {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly samples: readonly Sample[]
}

interface Histogram {
  readonly name: string
  readonly help: string
  readonly type: 'histogram'
  readonly samples: readonly Series[]
}

export type Metric = Figures | Histogram

export const gauge = (name: string, help: string, samples: readonly Sample[]): Metric => ({
  ...{ name, help, type: 'gauge', samples },
})
export const counter = (name: string, help: string, samples: readonly Sample[]): Metric => ({
  ...{ name, help, type: 'counter', samples },
})
export const histogram = (name: string, help: string, samples: readonly Series[]): Metric => ({
  ...{ name, help, type: 'histogram', samples },
})

/** Version 0.0.4 of the text format: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')

const labelsOf = ({ labels = {} }: Pick<Sample, 'labels'>): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** Buckets hold all up to their bound, so each holds those before it too. */
const bucketLines = (name: string, { labels, counts, sum }: Series): string[] => {
  let count = 0
  const buckets = counts.map((own, i) => {
    count += own
    const le = String(secondsBounds[i] ?? '+Inf')
    return `${name}_bucket${labelsOf({ labels: { ...labels, le } })} ${count}`
  })
  const own = labelsOf({ labels })
  return [...buckets, `${name}_sum${own} ${sum}`, `${name}_count${own} ${count}`]
}

const linesOf = (metric: Metric): string[] => {
  const { name, help, type } = metric
  const lines =
    metric.type === 'histogram'
      ? metric.samples.flatMap(series => bucketLines(name, series))
      : metric.samples.map(sample => `${name}${labelsOf(sample)} ${sample.value}`)
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines]
}

/** A metric without samples is left out: nothing is known of it. */
export const renderMetrics = (metrics: readonly Metric[]): string =>
  `${metrics
    .filter(({ samples }) => samples.length > 0)
    .flatMap(linesOf)
    .join('\n')}\n`
