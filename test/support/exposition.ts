/** A metric as a scraper reads it, with the values of its series by their text. */
export interface Exposed {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly series: ReadonlyMap<string, number>
}

const suffixes = ['_bucket', '_sum', '_count'] as const
const label = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"/y

/**
 * Reads the text format 0.0.4 of Prometheus and throws with the line that breaks a rule of it: HELP, TYPE and all samples of a metric
 * in one place, no series twice, buckets that grow up to `+Inf`, which is the count.
 */
export const parseExposition = (text: string): ReadonlyMap<string, Exposed> => {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const found = new Map<string, Exposed & { readonly series: Map<string, number> }>()
  let [help, current] = [/^$/.exec(''), null as (Exposed & { series: Map<string, number> }) | null]
  for (const line of text.slice(0, -1).split('\n')) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`)
    }
    if (line.startsWith('# HELP ')) help = /^# HELP ([a-zA-Z_:][\w:]*) (.+)$/.exec(line) ?? fail('no help')
    else if (line.startsWith('# TYPE ')) {
      const [, name, type] =
        /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram)$/.exec(line) ?? fail('no type')
      if (help?.[1] !== name) fail('the help is of another metric')
      if (found.has(name!)) fail('the metric is there already')
      current = { name: name!, type: type!, help: help![2]!, series: new Map() }
      found.set(name!, current)
    } else {
      const { name, labels, value } = sampleOf(line) ?? fail('no sample')
      if (current === null || !isOf(current, name)) return fail('stands under another metric')
      const series = `${name}{${labels.join(',')}}`
      if (current.series.has(series)) fail('the series is there already')
      if (Number.isNaN(value)) fail('no number')
      current.series.set(series, value)
    }
  }
  for (const metric of found.values()) {
    if (metric.series.size === 0) throw new Error(`${metric.name} has no samples`)
    if (metric.type === 'histogram') checkBuckets(metric)
  }
  return found
}

const isOf = ({ name, type }: Exposed, sample: string): boolean =>
  type === 'histogram' ? suffixes.some(suffix => sample === name + suffix) : sample === name

const sampleOf = (line: string) => {
  const [, name, , inner, value] = /^([a-zA-Z_:][\w:]*)(\{(.*)\})? (\S+)$/.exec(line) ?? []
  if (name === undefined) return null
  const labels: string[] = []
  let at = 0
  while (at < (inner ?? '').length) {
    label.lastIndex = at
    const match = label.exec(inner!)
    if (match === null || labels.some(text => text.startsWith(`${match[1]}=`))) return null
    labels.push(match[0])
    at = label.lastIndex
    if (at < inner!.length && inner![at++] !== ',') return null
  }
  return {
    name,
    labels: labels.toSorted(),
    value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value),
  }
}

const checkBuckets = ({ name, series }: Exposed): void => {
  const buckets = [...series].flatMap(([text, count]) => {
    const [, before, le, after] = /_bucket\{(.*?),?le="([^"]+)"(.*)\}$/.exec(text) ?? []
    const bound = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le)
    return le === undefined ? [] : [{ of: [before, after].join('').replace(/^,/, ''), bound, count }]
  })
  for (const [of, own] of Map.groupBy(buckets, bucket => bucket.of)) {
    const ordered = own.toSorted((a, b) => a.bound - b.bound)
    const counts = ordered.map(({ count }) => count)
    const isGrowing = counts.every((count, i) => i === 0 || count >= counts[i - 1]!)
    if (!isGrowing || ordered.at(-1)!.bound !== Number.POSITIVE_INFINITY)
      throw new Error(`${name}{${of}}: its buckets do not grow up to +Inf`)
    if (series.get(`${name}_count{${of}}`) !== counts.at(-1))
      throw new Error(`${name}{${of}}: its count is another`)
    if (!series.has(`${name}_sum{${of}}`)) throw new Error(`${name}{${of}}: it has no sum`)
  }
}
