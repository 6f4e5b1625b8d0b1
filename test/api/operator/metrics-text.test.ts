import { describe, expect, test } from 'vitest'
import { renderMetrics } from '../../../src/api/operator/metrics-text.ts'
import { createHistogram } from '../../../src/telemetry/histogram.ts'

describe('text of metrics', () => {
  test('the text format', () => {
    const text = renderMetrics([
      { name: 'a_total', help: 'Counts.', type: 'counter', samples: [{ value: 3 }] },
      {
        name: 'b',
        help: 'Has labels.',
        type: 'gauge',
        samples: [
          { labels: { name: 'quote " back \\ line\n', other: 'x' }, value: 0.5 },
          { labels: {}, value: 0 },
        ],
      },
      { name: 'c', help: 'Nothing is known of it.', type: 'gauge', samples: [] },
    ])
    expect(text).toBe(`# HELP a_total Counts.
# TYPE a_total counter
a_total 3
# HELP b Has labels.
# TYPE b gauge
b{name="quote \\" back \\\\ line\\n",other="x"} 0.5
b 0
`)
  })

  test('a histogram: each bucket holds those before it, and the last holds all', () => {
    const histogram = createHistogram('kind')
    for (const seconds of [0.005, 0.006, 90_000]) histogram.observe(seconds, 'x')
    histogram.observe(2, 'y')
    const text = renderMetrics([
      { name: 'took_seconds', help: 'Takes.', type: 'histogram', samples: histogram.read() },
    ])
    const lines = text.split('\n')
    expect(lines.slice(0, 5)).toEqual([
      '# HELP took_seconds Takes.',
      '# TYPE took_seconds histogram',
      'took_seconds_bucket{kind="x",le="0.005"} 1',
      'took_seconds_bucket{kind="x",le="0.01"} 2',
      'took_seconds_bucket{kind="x",le="0.025"} 2',
    ])
    for (const line of [
      'took_seconds_bucket{kind="x",le="86400"} 2',
      'took_seconds_bucket{kind="x",le="+Inf"} 3',
      'took_seconds_sum{kind="x"} 90000.011',
      'took_seconds_count{kind="x"} 3',
      'took_seconds_bucket{kind="y",le="1"} 0',
      'took_seconds_bucket{kind="y",le="2.5"} 1',
      'took_seconds_count{kind="y"} 1',
    ])
      expect(lines).toContain(line)
  })
})
