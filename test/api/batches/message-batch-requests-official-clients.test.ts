import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { type Client, clients, row, tap } from '../anthropic-clients.ts'
import { openTestApi, type TestApi } from '../test-api.ts'

const maxBytes = 20_000_000

let api: TestApi
beforeEach(async () => {
  const batches = { anthropic_max_bytes: maxBytes, anthropic_max_requests: 500 }
  api = await openTestApi({ config: { api_keys: ['right'], batches } })
})
afterEach(() => api[Symbol.asyncDispose]())

describe('POST /v1/messages/batches with official clients', () => {
  describe.each(clients)('$name', ({ Client }) => {
    const options = () => ({ apiKey: 'right', baseURL: api.url })
    const open = (more: object = {}): Client => new Client({ ...options(), ...more })

    it('goes through the list forward and backward, page by page', async () => {
      const { batches } = open().messages
      const made: string[] = []
      for (const name of ['1', '2', '3', '4']) {
        const { id, created_at } = await batches.create({ requests: [row(name, 'claude')] })
        made.push(id)
        await until(() => Date.now() > Date.parse(created_at))
      }
      const idsOf = async (query: object): Promise<string[]> => {
        const ids: string[] = []
        for await (const { id } of batches.list(query)) ids.push(id)
        return ids
      }
      expect(await idsOf({ limit: 1 })).toEqual(made.toReversed())
      expect(await idsOf({})).toEqual(made.toReversed())
      expect(await idsOf({ limit: 1, after_id: made[2] })).toEqual([made[1], made[0]])
      expect(await idsOf({ limit: 1, before_id: made[0] })).toEqual(made.slice(1))
    })

    it('asks once more for a batch whose answer was lost, and there is one', async () => {
      const { client, asked } = tap(Client, options(), 1)
      const before = (await client.messages.batches.list({ limit: 1_000 })).data.length
      asked.length = 0
      await client.messages.batches.create({ requests: [row('once', 'claude')] })
      expect(asked.map(({ headers }) => headers.get('x-stainless-retry-count'))).toEqual(['0', '1'])
      expect((await client.messages.batches.list({ limit: 1_000 })).data).toHaveLength(before + 1)
    })

    it('reads what is wrong with a batch while it still sends it, and asks once', async () => {
      const filler = (bytes: number) =>
        Array.from({ length: 10 }, (_, i) => row(`f-${i}`, 'x'.repeat(bytes / 10)))
      const refusals: [requests: ReturnType<typeof filler>, status: number, type: string][] = [
        [[row('a b', 'claude'), ...filler(15_000_000)], 400, 'invalid_request_error'],
        [[...filler(15_000_000), row('f-1', 'claude')], 400, 'invalid_request_error'],
        [[], 400, 'invalid_request_error'],
        [filler(maxBytes), 413, 'request_too_large'],
        [filler(4 * maxBytes), 413, 'request_too_large'],
        [Array.from({ length: 501 }, (_, i) => row(`${i}`, 'claude')), 400, 'invalid_request_error'],
      ]
      for (const [requests, status, type] of refusals) {
        const { client, asked } = tap(Client, options())
        await expect(client.messages.batches.create({ requests })).rejects.toMatchObject({
          status,
          type,
          requestID: expect.stringMatching(/^req_/),
        })
        expect(asked).toHaveLength(1)
      }
      const wrong = open().messages.batches.create({ requests: [row('', 'claude')] })
      await expect(wrong).rejects.toThrow(Client.BadRequestError)
    })

    it('throws the class for a wrong key and for an unknown batch', async () => {
      const stranger = open({ apiKey: 'wrong' }).messages.batches
      const requests = [row('a', 'x'.repeat(5_000_000))]
      await expect(stranger.create({ requests })).rejects.toThrow(Client.AuthenticationError)
      await expect(stranger.list()).rejects.toThrow(Client.AuthenticationError)
      for (const id of ['nonsense', `msgbatch_${'0'.repeat(26)}`]) {
        await expect(open().messages.batches.retrieve(id)).rejects.toThrow(Client.NotFoundError)
      }
    })
  })
})
