import { describe, expect, test } from 'vitest'
import { until } from '../../harness/until.ts'
import { ask, post, startSim } from './provider-fixture.ts'

const paths = ['/v1/chat/completions', '/v1/messages', '/v1/responses', '/v1/completions'] as const
const said = 'a longer text'
const body = (model: string) => JSON.stringify(ask(model, said, { stream: true, input: said, prompt: said }))

interface Seen {
  readonly status: number
  readonly text: string
  readonly packets: readonly Uint8Array[]
  readonly isBroken: boolean
}

/** Reads a stream until it ends, breaks, or has brought what the reader waits for. */
async function watch(
  url: string,
  model: string,
  enough: (text: string) => boolean = () => false,
): Promise<Seen> {
  const answer = await fetch(url, { method: 'POST', body: body(model) })
  const reader = answer.body!.getReader()
  const packets: Uint8Array[] = []
  const seen = (isBroken: boolean) => ({
    ...{ status: answer.status, packets, isBroken },
    text: Buffer.concat(packets).toString(),
  })
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return seen(false)
      packets.push(value)
      if (enough(seen(false).text)) {
        await reader.cancel()
        return seen(false)
      }
    }
  } catch {
    return seen(true)
  }
}

const isContent = (text: string): boolean => /"echo"/.test(text)
const isWhole = (text: string): boolean =>
  /\[DONE\]|event: message_stop|event: response\.completed/.test(text)

describe.each(paths)('broken streams of the simulated provider: %s', path => {
  const serve = async (behaviour = {}) => `${(await startSim({ behaviour })).url}${path}`

  test('stream-stall sends headers and nothing more', async () => {
    const sim = await startSim()
    const leave = new AbortController()
    const init = { method: 'POST', body: body('stream-stall'), signal: leave.signal }
    const answer = await fetch(`${sim.url}${path}`, init)
    expect(answer.status).toBe(200)
    expect(sim.calls.inFlight).toBe(1)
    leave.abort()
    await until(() => sim.calls.inFlight === 0)
  })

  test('stream-stall-midway falls silent after half of the text', async () => {
    const { text } = await watch(await serve(), 'stream-stall-midway', isContent)
    expect(isWhole(text)).toBe(false)
  })

  test('stream-reset breaks off behind the headers, reset-mid-body behind some of the text', async () => {
    const early = await watch(await serve(), 'stream-reset')
    expect(early).toMatchObject({ status: 200, text: '', isBroken: true })
    const late = await watch(await serve(), 'reset-mid-body')
    expect(late.isBroken).toBe(true)
    expect(isContent(late.text) && !isWhole(late.text)).toBe(true)
  })

  test.each([
    ['stream-error-first', false],
    ['stream-error-after-role', path === '/v1/completions'],
    ['stream-error-midway', true],
  ])('%s ends in the event of an error', async (model, hasContent) => {
    const { status, text, isBroken } = await watch(await serve(), model)
    expect({ status, isBroken }).toEqual({ status: 200, isBroken: false })
    const last = text.trimEnd().split('\n\n').at(-1)!
    expect(last).toMatch(/overloaded/)
    expect(isContent(text)).toBe(hasContent)
    expect(isWhole(text)).toBe(false)
  })

  test('a behaviour says which error it is', async () => {
    const { text } = await watch(
      await serve({ stream: { error: 'insufficient_quota' } }),
      'stream-error-first',
    )
    expect(text).toMatch(/insufficient_quota|credit balance/)
  })

  test('stream-json-error is an error in JSON under a 200, and stream-no-body nothing', async () => {
    const url = await serve()
    const answer = await fetch(url, { method: 'POST', body: body('stream-json-error') })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(await answer.json()).toHaveProperty('error.message')
    const nothing = await watch(url, 'stream-no-body')
    expect(nothing).toMatchObject({ status: 200, text: '', isBroken: false })
  })

  test('stream-no-finish ends behind the text, stream-no-done behind the finish', async () => {
    const url = await serve()
    const finish = /"finish_reason":"stop"|"stop_reason":"end_turn"|response\.completed/
    const unfinished = await watch(url, 'stream-no-finish')
    expect(unfinished.isBroken).toBe(false)
    expect(isContent(unfinished.text) && !isWhole(unfinished.text)).toBe(true)
    expect(unfinished.text).not.toMatch(finish)
    const unmarked = await watch(url, 'stream-no-done')
    expect(unmarked.text).toMatch(finish)
    expect(unmarked.text).not.toMatch(/\[DONE\]|message_stop/)
  })

  test('truncated ends in the middle of an event', async () => {
    const { text, isBroken } = await watch(await serve(), 'truncated')
    expect(isBroken).toBe(false)
    expect(text).not.toMatch(/\n\n$/)
  })

  test('stream-crlf and stream-packets are whole streams, otherwise written', async () => {
    const sim = await startSim({ now: () => 0, answerBytes: 100 })
    const url = `${sim.url}${path}`
    const whole = await watch(url, 'ok')
    const numbered = (text: string, from: string) =>
      text
        .replaceAll(`sim${from}`, 'sim1')
        .replaceAll('"stream-crlf"', '"ok"')
        .replaceAll('"stream-packets"', '"ok"')
    const crlf = await watch(url, 'stream-crlf')
    expect(crlf.text).toContain('\r\n\r\n')
    const told = (text: string) => text.replace(/"(?:input|prompt|total)_tokens":\d+/g, '')
    expect(told(numbered(crlf.text, '2').replaceAll('\r\n', '\n'))).toBe(told(whole.text))
    const packets = await watch(url, 'stream-packets')
    expect(told(numbered(packets.text, '3'))).toBe(told(whole.text))
  })

  test('a call that is not streamed meets none of it', async () => {
    const sim = await startSim()
    const request = { ...JSON.parse(body('stream-stall')), stream: false }
    const { status, text } = await post(`${sim.url}${path}`, request)
    expect(status).toBe(200)
    expect(JSON.parse(text)).toHaveProperty('model', 'stream-stall')
    expect(sim.calls.outcomes).toEqual({ ok: 1 })
  })
})
