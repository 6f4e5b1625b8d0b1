import { traces } from './forms.ts'
import { type Answer, type Call, call, type Json, type TestApi } from './test-api.ts'

export const path = '/v1/messages/batches'

export const params = { model: 'claude', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] }
/** An entry of `requests`. */
export const one = (customId: string, more: object = {}) => ({
  custom_id: customId,
  params: { ...params, ...more },
})
export const many = (count: number) => Array.from({ length: count }, (_, i) => one(`row-${i}`))

export const post = (api: TestApi, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  call(api, 'POST', path, { body, headers })

/** Makes a batch and answers its view. */
export const create = async (
  api: TestApi,
  body: object = { requests: [one('a')] },
  headers: Call['headers'] & object = {},
): Promise<Json> => {
  const answer = await post(api, body, headers)
  if (answer.status !== 200) throw new Error(answer.text)
  return answer.json
}

export const get = (api: { readonly url: string }, more: string): Promise<Answer> =>
  call(api, 'GET', path + more)

/** What is left in Redis and in the blob store, of batches too: nothing, where all was cleared away. */
export const remains = async (api: TestApi): Promise<readonly string[]> => [
  ...(await traces(api)),
  ...(await api.redis.keys(`${api.prefix}:*`)).filter(key => /\}:(?:b|bd|bi|batches)(?::|$)/.test(key)),
]
