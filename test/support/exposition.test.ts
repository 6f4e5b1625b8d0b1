import { describe, expect, test } from 'vitest'
import { parseExposition } from './exposition.ts'

const about = (name: string, type: string): string => `# HELP ${name} Help.\n# TYPE ${name} ${type}\n`
const bucket = (le: string, count: number): string => `h_bucket{a="x",le="${le}"} ${count}\n`
const totals = (count: number): string => `h_sum{a="x"} 1\nh_count{a="x"} ${count}\n`

describe('the reader of the text format', () => {
  test('reads what is well formed', () => {
    const text = `${about('a_total', 'counter')}a_total{b="\\"\\\\\\n,}",c="x"} 1e3\n${about('h', 'histogram')}${bucket('0.1', 1)}${bucket('+Inf', 2)}${totals(2)}`
    const metrics = parseExposition(text)
    expect([...metrics.keys()]).toEqual(['a_total', 'h'])
    expect([...metrics.get('a_total')!.series.values()]).toEqual([1_000])
  })

  test.each([
    ['a sample without its type', 'a 1\n'],
    ['a type without its help', '# TYPE a gauge\na 1\n'],
    [
      'a metric in two places',
      `${about('a', 'gauge')}a 1\n${about('b', 'gauge')}b 1\n${about('a', 'gauge')}a 2\n`,
    ],
    ['a series twice, in another order', `${about('a', 'gauge')}a{b="1",c="2"} 1\na{c="2",b="1"} 1\n`],
    ['a label twice', `${about('a', 'gauge')}a{b="1",b="2"} 1\n`],
    ['a value that is none', `${about('a', 'gauge')}a undefined\n`],
    ['a quote that is not escaped', `${about('a', 'gauge')}a{b="""} 1\n`],
    ['no end of the last line', `${about('a', 'gauge')}a 1`],
    ['a metric without samples', about('a', 'gauge')],
    ['buckets that shrink', `${about('h', 'histogram')}${bucket('0.1', 2)}${bucket('+Inf', 1)}${totals(1)}`],
    ['no last bucket', `${about('h', 'histogram')}${bucket('0.1', 2)}${totals(2)}`],
    ['another count', `${about('h', 'histogram')}${bucket('+Inf', 1)}${totals(2)}`],
  ])('refuses %s', (_, text) => {
    expect(() => parseExposition(text)).toThrow()
  })
})
