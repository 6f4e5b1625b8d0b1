import { describe, expect, test } from 'vitest'
import { renderMetrics } from '../../../src/api/operator/metrics-text.ts'

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
})
