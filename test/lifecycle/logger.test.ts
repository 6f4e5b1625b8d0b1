import { Writable } from 'node:stream'
import { APICallError } from '@ai-sdk/provider'
import { describe, expect, it } from 'vitest'
import { createLogger } from '../../src/lifecycle/logger.ts'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { doubledKeys } from '../support/doubled-keys.ts'
import { testRedis } from '../support/redis.ts'

const logged = (error: unknown): { line: string; err: Record<string, unknown> } => {
  const lines: string[] = []
  const destination = new Writable({
    write: (chunk, _, done) => {
      lines.push(String(chunk))
      done()
    },
  })
  createLogger('trace', destination).error({ err: error }, 'failed')
  return { line: lines.join(''), err: JSON.parse(lines[0]!).err }
}
const marker = 'the-secret-prompt'

describe('the logger', () => {
  it('tells an ioredis error without its command', async () => {
    const redis = createPatientRedis(testRedis().url, createLogger('silent'))
    const error = await redis.eval(`return redis.call('LPOS', KEYS[1])`, 1, marker, marker).catch(e => e)
    redis.disconnect()
    expect(JSON.stringify(error)).toContain(marker) // else this test would prove nothing
    const { line, err } = logged(error)
    expect(line).not.toContain(marker)
    expect(err).toMatchObject({ name: 'ReplyError', message: expect.stringContaining('ERR') })
    expect(String(err.frames)).toMatch(/^ {4}at /)
  })

  it('tells an AI SDK error without the request and the answer', () => {
    const error = new APICallError({
      message: 'Too many requests',
      url: 'https://api.example/v1',
      requestBodyValues: { messages: [{ content: marker }] },
      responseBody: marker,
      responseHeaders: { authorization: marker },
      data: { marker },
      statusCode: 429,
    })
    expect(JSON.stringify(error)).toContain(marker)
    const { line, err } = logged(error)
    expect(line).not.toContain(marker)
    expect(err).toMatchObject({ message: 'Too many requests' })
  })

  it('tells causes the same way, and cuts long messages', () => {
    const cause = Object.assign(new Error(`reset ${'x'.repeat(400)}${marker}`), {
      code: 'ECONNRESET',
      body: marker,
    })
    const { line, err } = logged(new Error('call failed', { cause }))
    expect(line).not.toContain(marker)
    expect(err.cause).toMatchObject({ code: 'ECONNRESET', message: expect.stringMatching(/^reset x+$/) })
  })

  it('tells nothing of what is thrown but is no error', () => {
    expect(logged({ marker }).line).not.toContain(marker)
    expect(logged(marker).line).not.toContain(marker)
  })

  it('tells that text was malformed without quoting it', () => {
    let error: unknown
    try {
      JSON.parse(`{"prompt": ${marker}}`)
    } catch (thrown) {
      error = thrown
    }
    expect(String(error)).toContain('the-secr')
    expect(logged(error).line).not.toContain('the-secr')
  })

  it('outlasts an error that is its own cause', () => {
    const error = new Error('round')
    error.cause = error
    expect(() => logged(error)).not.toThrow()
  })

  it('says each thing once, whatever children are bound to', () => {
    const lines: string[] = []
    const log = createLogger('trace', { write: line => lines.push(line) })
    const child = log.child({ provider: 'a', worker: 'w' })
    child.info({ provider: 'a', jobId: 'j' }, 'first')
    child.child({ worker: 'x', batchId: 'b' }).info({ batchId: 'c' }, 'second')
    log.info({ pid: 1 }, 'third')
    child.info('fourth')
    expect(lines.flatMap(doubledKeys)).toEqual([])
    const told = lines.map(line => JSON.parse(line))
    expect(told[0]).toMatchObject({ pid: process.pid, provider: 'a', worker: 'w', jobId: 'j', msg: 'first' })
    expect(told[1]).toMatchObject({ pid: process.pid, provider: 'a', worker: 'x', batchId: 'c' })
    expect(told[2]).toEqual({ level: 30, time: expect.any(Number), pid: 1, msg: 'third' })
    expect(told[3]).toMatchObject({ provider: 'a', worker: 'w', msg: 'fourth' })
  })
})
