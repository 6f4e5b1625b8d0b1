import { describe, expect, onTestFinished, test } from 'vitest'
import { createHttpListener } from '../../src/sim/http-listener.ts'

function listener() {
  const created = createHttpListener((_, res) => res.end('here'))
  onTestFinished(() => created.stop())
  return created
}

describe('the HTTP listener', () => {
  test('it has no address before it started', () => {
    expect(() => listener().url).toThrow('the server has not started')
  })

  test('it starts once, however often it is told', async () => {
    const server = listener()
    const [first, second] = await Promise.all([server.start(), server.start()])
    expect(first).toEqual({ url: server.url })
    expect(second).toBe(first)
    expect(await (await fetch(server.url)).text()).toBe('here')
  })

  test('a stop during the start still ends it', async () => {
    const server = listener()
    const started = server.start()
    const stopped = server.stop()
    expect(server.stop()).toBe(stopped)
    const { url } = await started
    await stopped
    await expect(fetch(url)).rejects.toThrow('fetch failed')
  })

  test('a stop before the start keeps it from starting', async () => {
    const server = listener()
    await server.stop()
    await expect(server.start()).rejects.toThrow('stopped before it started')
  })

  test('a port that is taken is its caller to hear of, and stopping is then nothing', async () => {
    const first = listener()
    const { url } = await first.start()
    const second = listener()
    await expect(second.start({ port: Number(new URL(url).port) })).rejects.toThrow('EADDRINUSE')
    await second.stop()
  })
})
