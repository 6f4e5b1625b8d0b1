import type { RequestListener } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openUpstream } from '../contract/providers/open-provider.ts'
import { openBaton } from '../support/open-baton.ts'

const notInItsEncoding: RequestListener = (_request, response) => {
  response.setHeader('content-encoding', 'zstd').end(gzipSync('{}').subarray(4))
}
const larger: RequestListener = (_request, response) => {
  response.end(JSON.stringify({ choices: [{ message: { content: 'x'.repeat(2_000) } }] }))
}

describe('an unreadable answer', () => {
  it.each([
    ['undecodable', notInItsEncoding],
    ['too_large', larger],
  ])('an answer that is %s is paid for once, and ends the job', async (reason, respond) => {
    const first = await openUpstream((request, response) => respond(request as never, response))
    const second = await openUpstream((_request, response) => response.end('{}'))
    const providerAt = (url: string, model: string) => ({
      type: 'openai-compatible',
      base_url: `${url}/v1`,
      max_response_bytes: 1_000,
      models: { [model]: {} },
    })
    const deployment = await openBaton({
      level: 'workers',
      config: {
        providers: { first: providerAt(first.url, 'a'), second: providerAt(second.url, 'b') },
        models: { a: { provider: 'first', fallback_to: 'b' }, b: { provider: 'second' } },
      },
    })
    try {
      const job = await deployment.ended(await deployment.chat('a'))
      expect(job).toMatchObject({
        status: 'failed',
        error: { code: 'untranslatable_answer' },
        attempts: [{ verdict: 'untranslatable', reason, possibly_billed: true }],
      })
      const posts = [...first.arrivals, ...second.arrivals].filter(({ text }) => text !== '')
      expect(posts).toHaveLength(1)
    } finally {
      await deployment.stop()
    }
  })
})
