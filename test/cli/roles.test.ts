import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OperatorSite, openOperatorSite } from './operator-site.ts'

let site: OperatorSite
beforeAll(async () => {
  site = await openOperatorSite({ api_keys: ['client', { key: 'boss', role: 'operator' }] })
})
afterAll(() => site.close())

describe('roles of commands', () => {
  test.each([
    'status',
    'providers',
    'providers pause openai',
    'providers resume openai',
    'routes',
    'mirrors',
  ])("%s tells which key it takes, and runs with an operator's", async line => {
    const refused = await site.run(`${line} --api-key client`)
    expect(refused).toMatchObject({ exitCode: 1, out: '' })
    expect(refused.err).toBe(
      'This API key may not do that: it takes one of the role `operator`. (permission_denied) Set BATON_API_KEY to such a key, or use --api-key',
    )
    const { err } = await site.run(`${line} --api-key boss`)
    expect(err).toBe('')
  })

  test.each(['jobs', 'dead-letters', 'batches'])('%s takes any key', async line => {
    expect(await site.run(`${line} --api-key client`)).toMatchObject({ exitCode: 0, err: '' })
  })

  test('a job is explained to whoever may read it, also while it waits', async () => {
    const post = async (path: string, key: string, body: object): Promise<{ id: string }> => {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
      const answer = await fetch(site.baton.url + path, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      })
      return (await answer.json()) as { id: string }
    }
    await post('/v1/providers/openai/pause', 'boss', {})
    const messages = [{ role: 'user', content: 'hi' }]
    const { id } = await post('/v1/jobs', 'client', { body: { model: 'alone', messages } })
    const explained = await site.run(`explain ${id} --api-key client`)
    expect(explained).toMatchObject({ exitCode: 0, err: '' })
    expect(explained.out).toContain(id)
  })
})
