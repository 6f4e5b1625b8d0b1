import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'

import { openBaton } from '../../support/open-baton.ts'
import { testRedis } from '../../support/redis.ts'
import { one, path } from '../message-batch-calls.ts'

const count = 12_000
const bytes = 100_000_000
/** Far less than the document, and more than what the garbage collector lets lie. */
const mostGrowth = 50_000_000

function* chunksOf(requests: number): Generator<string, void> {
  const user = 'x'.repeat(bytes / count)
  for (let i = 0; i < requests; i++)
    yield `${i === 0 ? '{"requests":[' : ','}${JSON.stringify(one(`${i}`, { user }))}`
  yield ']}'
}

const post = async (url: string, requests: number): Promise<unknown> => {
  const sent = request(url + path, { method: 'POST', headers: { 'content-type': 'application/json' } })
  const answer = new Promise<string>((resolve, reject) => {
    sent.on('error', reject)
    sent.on('response', async response => resolve((await response.setEncoding('utf8').toArray()).join('')))
  })
  await pipeline(Readable.from(chunksOf(requests)), sent)
  return JSON.parse(await answer)
}

/** The most memory that the process ever had. */
const peakOf = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+)/.exec(status)![1]) * 1_024
}

describe('memory of POST /v1/messages/batches', () => {
  it.runIf(process.platform === 'linux')('a document of 100 MB takes the API little memory', async () => {
    const site = await openBaton({
      level: 'processes',
      config: {
        redis: testRedis(),
        server: { port: 0 },
        providers: { first: { type: 'openai', api_key: 'k' } },
        models: { claude: { provider: 'first' } },
      },
    })
    try {
      const { url, pid } = await site.api()
      await post(url, count / 4)
      const before = await peakOf(pid)
      const batch = await post(url, count)
      expect(batch).toMatchObject({ request_counts: { processing: count } })
      expect((await peakOf(pid)) - before).toBeLessThan(mostGrowth)
    } finally {
      await site.close()
    }
  })
})
