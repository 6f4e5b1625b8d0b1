import type OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { line, lines, rows } from '../../batches/batch-desk.ts'
import { type BatchApi, clients, desk, idsOf, openBatchApi } from '../batch-deployment.ts'

let api: BatchApi
let client: OpenAI
beforeAll(async () => {
  api = await openBatchApi({ config: { batches: { max_line_bytes: 1_000_000 } } })
  client = new clients['openai 7']({ apiKey: 'right', baseURL: `${api.url}/v1` })
})
afterAll(() => api[Symbol.asyncDispose]())

const good = line('a', 'plain')
const change = (more: object): string => `${JSON.stringify({ ...JSON.parse(good), ...more })}\n`
const body = (more: object) => ({ body: { ...JSON.parse(good).body, ...more } })
const lines50001 = (): string => {
  let text = ''
  for (let i = 0; i <= 50_000; i++) {
    text += `{"custom_id":"${i}","method":"POST","url":"/v1/chat/completions","body":{"model":"plain","messages":[]}}\n`
  }
  return text
}

type Fault = readonly [code: string, line: number | null, param?: string | null]
type Case = readonly [
  name: string,
  input: () => string | Uint8Array<ArrayBuffer>,
  ...faults: readonly Fault[],
]

const cases: readonly Case[] = [
  ['a line that is no JSON', () => `${good}{"custom_id":\n`, ['invalid_json_line', 2]],
  ['bytes that are no UTF-8', () => Buffer.from(`${good}"\xff"\n`, 'latin1'), ['invalid_json_line', 2]],
  ['the same custom_id twice', () => `${good}\n${good}`, ['duplicate_custom_id', 3, 'custom_id']],
  ['another url', () => change({ url: '/v1/embeddings' }), ['url_mismatch', 1, 'url']],
  ['a model that is not there', () => change(body({ model: 'gpt-x' })), ['model_not_found', 1, 'body.model']],
  ['nothing but blank lines', () => '\n \r\n\n', ['empty_file', null]],
  ['50,001 lines', lines50001, ['too_many_tasks', 50_001]],
  ['a line that is no object', () => '[]\n', ['invalid_request', 1]],
  ['another method', () => change({ method: 'GET' }), ['invalid_request', 1, 'method']],
  ['a stream', () => change(body({ stream: true })), ['invalid_request', 1, 'body.stream']],
  ['a line of 20 MB', () => good + change(body({ x: 'x'.repeat(20_000_000) })), ['invalid_request', 2]],
  ['no body', () => change({ body: undefined }), ['missing_required_parameter', 1, 'body']],
  [
    'several of them',
    () => change({ custom_id: undefined }) + good + change({ url: 1, custom_id: 'b' }),
    ['missing_required_parameter', 1, 'custom_id'],
    ['invalid_request', 3, 'url'],
  ],
]

describe("faults of a batch's input", () => {
  it.each(cases.map(([name, input, ...faults]) => ({ name, input, faults })))(
    'a batch of $name fails, and tells where',
    async ({ input, faults }) => {
      const { upload, ended } = desk(client)
      const { id } = await client.batches.create({
        input_file_id: await upload(input()),
        endpoint: '/v1/chat/completions',
        completion_window: '24h',
      })
      const batch = await ended(id)
      expect(batch).toMatchObject({ status: 'failed', request_counts: { total: 0, completed: 0, failed: 0 } })
      expect(batch.errors!.data!.map(({ code, line, param }) => [code, line, param])).toEqual(
        faults.map(([code, line, param = null]) => [code, line, param]),
      )
      for (const { message } of batch.errors!.data!) expect(message).toMatch(/\.$/)
      expect([batch.output_file_id, batch.error_file_id]).toEqual([null, null])
    },
  )

  it('a line that asks for an answer in the background fails with a code, and its neighbour runs', async () => {
    const { upload, ended, output, errors } = desk(client)
    const ask = (custom_id: string, more: object) =>
      `${JSON.stringify({ custom_id, method: 'POST', url: '/v1/responses', body: { model: 'plain', input: 'hi', ...more } })}\n`
    const { id } = await client.batches.create({
      input_file_id: await upload(ask('later', { background: true }) + ask('now', { background: false })),
      endpoint: '/v1/responses',
      completion_window: '24h',
    })
    const batch = await ended(id)
    expect(batch.request_counts).toEqual({ total: 2, completed: 1, failed: 1 })
    expect(idsOf(await output(batch))).toEqual(['now'])
    const said = { code: 'background_unsupported', param: 'background' }
    expect(await errors(batch)).toMatchObject([
      { custom_id: 'later', response: { status_code: 400, body: { error: said } } },
    ])
  })

  const harmless: readonly (readonly [string, string])[] = [
    ['a byte order mark', `\ufeff${lines(3, 'plain')}`],
    ['CRLF', lines(3, 'plain').replaceAll('\n', '\r\n')],
    ['blank lines', `\n${lines(3, 'plain').replaceAll('\n', '\n\n \n')}\n`],
    ['no final newline', lines(3, 'plain').trimEnd()],
  ]

  it.each(harmless)('a batch with %s runs', async (_, input) => {
    const { submit, ended, output } = desk(client)
    const batch = await ended((await submit(input)).id)
    expect(batch).toMatchObject({
      status: 'completed',
      request_counts: { total: 3, completed: 3, failed: 0 },
    })
    expect(idsOf(await output(batch))).toEqual(rows(3))
  })
})
