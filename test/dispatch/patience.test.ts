import { mkdtemp, rm } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toFile } from 'openai'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { openReasonsSite, type ReasonsSite } from '../api/reasons-site.ts'
import { answering } from '../contract/providers/recording-upstream.ts'
import { answers } from '../support/vendors.ts'

let blobs: string
beforeAll(async () => {
  blobs = await mkdtemp(join(tmpdir(), 'baton-patience-'))
})
afterAll(() => rm(blobs, { recursive: true, force: true }))

/** The first provider takes one call at a time, and its first one is held until the test lets it go. */
const openFull = async (): Promise<{ site: ReasonsSite; release(): void; held: Promise<unknown> }> => {
  const config = {
    storage: { path: blobs },
    models: {
      'gpt-4': { provider: 'openai' },
      opus: { provider: 'claude' },
      both: { provider: 'openai', upstream_model: 'gpt-4', fallback_to: 'opus' },
      patient: { provider: 'openai', upstream_model: 'gpt-4', fallback_to: 'opus', patience: '1m' },
    },
  }
  const site = await openReasonsSite({ batches: true, config }, { limits: { concurrency: 1 } })
  const good = answering(200, answers.chat)
  let first: (() => void) | null = null
  site.openai.answers((request, response: ServerResponse) => {
    first = () => good(request, response)
    site.openai.answers(good)
  })
  const held = site.ask('gpt-4')
  await until(() => first)
  return { site, held, release: () => first!() }
}

it('a request moves to the second target when the first has no room for longer than its patience', async () => {
  const { site, held, release } = await openFull()
  await using _ = site
  const patient = site.ask('patient')
  // Two seconds by default: when it is there, the other has waited for longer, too.
  expect((await site.ask('both')).status).toBe(200)
  expect(site.claude.arrivals).toHaveLength(1)
  release()
  expect((await patient).status).toBe(200)
  await held
  expect(site.claude.arrivals).toHaveLength(1)
  expect(site.openai.arrivals).toHaveLength(2)
})

it('a batch with a day left does not move for a short jam', async () => {
  const { site, held, release } = await openFull()
  await using _ = site
  const body = { model: 'both', messages: [{ role: 'user', content: 'hi' }] }
  const line = JSON.stringify({ custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body })
  const { openai } = site.clients
  const { id: input_file_id } = await openai.files.create({
    file: await toFile(Buffer.from(line), 'in.jsonl'),
    purpose: 'batch',
  })
  const order = { input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const
  const { id } = await openai.batches.create(order)
  await until(async () => (await site.get(`/v1/jobs?batch_id=${id}`)).data[0]?.status === 'running')
  expect((await site.ask('both')).status).toBe(200)
  expect(site.claude.arrivals).toHaveLength(1)
  release()
  const ended = await until(async () => {
    const batch = await site.get(`/v1/batches/${id}`)
    return batch.status === 'completed' && batch
  })
  await held
  expect(ended.providers).toEqual({ openai: 1 })
})
