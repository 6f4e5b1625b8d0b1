import { describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { createEventOutlet } from '../../../src/api/streams/event-outlet.ts'

const outletOf = (bytes: number) => {
  let closed = 0
  const outlet = createEventOutlet({
    ...{ keepaliveMs: 10, stuckMs: 30, onReady: () => undefined },
    onClosed: () => {
      closed += 1
    },
  })
  outlet.write(`data: ${'x'.repeat(bytes)}\n\n`)
  return { outlet, closed: () => closed }
}

describe('the outlet of a stream', () => {
  it('cuts a connection that takes nothing of what is there', async () => {
    const { outlet, closed } = outletOf(100_000)
    await until(() => outlet.stream.destroyed)
    expect(closed()).toBe(1)
  })

  it('keeps one that takes it, with comments where nothing comes', async () => {
    const { outlet, closed } = outletOf(100_000)
    let text = ''
    outlet.stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
    await until(() => text.split(': keep-alive').length > 8)
    expect(closed()).toBe(0)
    outlet.end()
    await until(() => closed() === 1)
  })
})
