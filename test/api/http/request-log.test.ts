import { pino } from 'pino'
import { describe, expect, it, vi } from 'vitest'
import { call, chat, openTestApi } from '../test-api.ts'

describe('the log of requests', () => {
  it('logs one line about a request, with nothing that the client sent but its method', async () => {
    const lines: Record<string, unknown>[] = []
    const log = pino(
      { level: 'trace', base: null, timestamp: false },
      { write: line => void lines.push(JSON.parse(line)) },
    )
    await using api = await openTestApi({ log, config: { api_keys: ['key-secret'] } })
    const headers = {
      'x-api-key': 'key-secret',
      'x-request-id': 'mine-1',
      'idempotency-key': 'idem-secret',
      cookie: 'cookie-secret',
    }
    const submitted = await call(api, 'POST', '/v1/jobs', { body: { body: chat('prompt-secret') }, headers })
    const { id } = submitted.json
    await call(api, 'GET', `/v1/jobs/${id}?query=query-secret`, {
      headers: { ...headers, 'x-request-id': 'a\tb' },
    })
    await call(api, 'POST', '/v1/jobs', { body: '{"prompt-secret', headers })
    const answers = () => lines.filter(({ msg }) => msg === 'request answered')
    await vi.waitUntil(() => answers().length >= 3)

    expect(answers().map(line => ({ ...line, durationMs: typeof line.durationMs }))).toEqual([
      {
        level: 20,
        event: 'request.answered',
        requestId: submitted.headers.get('x-request-id'),
        clientRequestId: 'mine-1',
        method: 'POST',
        route: '/v1/jobs',
        status: 202,
        durationMs: 'number',
        jobId: id,
        msg: 'request answered',
      },
      expect.objectContaining({ method: 'GET', route: '/v1/jobs/:id', status: 200, jobId: id }),
      expect.objectContaining({ method: 'POST', route: '/v1/jobs', status: 400 }),
    ])
    expect(answers()[1]).not.toHaveProperty('clientRequestId')
    expect(JSON.stringify(lines)).not.toContain('secret')
  })

  it('says nothing of ordinary requests at info', async () => {
    const lines: string[] = []
    await using api = await openTestApi({
      log: pino({ level: 'info' }, { write: line => void lines.push(line) }),
    })
    lines.length = 0
    await call(api, 'GET', '/v1/jobs')
    await call(api, 'GET', '/nonsense')
    expect(lines).toEqual([])
  })
})
