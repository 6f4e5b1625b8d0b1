export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** Figures of one name. A counter's ends in `_total`. */
export interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly samples: readonly Sample[]
}

/** Version 0.0.4 of the text format: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')

const labelsOf = ({ labels = {} }: Sample): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const linesOf = ({ name, help, type, samples }: Metric): string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${type}`,
  ...samples.map(sample => `${name}${labelsOf(sample)} ${sample.value}`),
]

/** A metric without samples is left out: nothing is known of it. */
export const renderMetrics = (metrics: readonly Metric[]): string =>
  `${metrics
    .filter(({ samples }) => samples.length > 0)
    .flatMap(linesOf)
    .join('\n')}\n`
