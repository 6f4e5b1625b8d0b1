import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../harness/until.ts'
import type { BatchView } from '../../src/batches/view.ts'
import { line } from '../batches/batch-desk.ts'
import { type BatchSite, openBatchSite } from './batch-site.ts'

let site: BatchSite
beforeAll(async () => {
  site = await openBatchSite()
})
afterAll(() => site.close())
afterEach(() => site.meet(() => 'served'))

const file = (count: number, models: readonly string[] = ['gpt-4']): string =>
  Array.from({ length: count }, (_, i) => line(`row-${i}`, models[i % models.length]!)).join('')

const idIn = (text: string): string => /batch_[0-9a-z]{26}/.exec(text)![0]

interface OutputLine {
  readonly custom_id: string
  readonly response: { readonly status_code: number; readonly body: { readonly model?: string } } | null
}

const linesOf = async (name: string): Promise<OutputLine[]> => {
  const lines = (await site.read(name)).split('\n').slice(0, -1)
  return lines.map(text => JSON.parse(text) as OutputLine)
}

const idsOf = async (name: string): Promise<string[]> => (await linesOf(name)).map(l => l.custom_id).sort()

const rows = (count: number): string[] => Array.from({ length: count }, (_, i) => `row-${i}`).sort()

describe('baton submit', () => {
  describe('--wait', () => {
    test('ends with 0 and the answer to each line when all are answered', async () => {
      await site.write('mixed.jsonl', file(60, ['gpt-4', 'gpt-4', 'claude']))
      const { code, stdout, stderr } = await site.run([
        'submit',
        'mixed.jsonl',
        '--wait',
        '--output',
        'answers',
      ])
      expect(code, stderr).toBe(0)
      expect(await idsOf('answers')).toEqual(rows(60))
      expect((await linesOf('answers')).every(l => l.response?.status_code === 200)).toBe(true)
      expect(stdout).toMatch(
        /batch_\w+ completed after \d+ s: 60 lines, 60 answered \(anthropic 20, openai 40\), 0 failed/,
      )
      expect(stdout).toMatch(/^output: \/.*\/answers$/m)
      expect(stdout).not.toContain('errors:')
      // Not a terminal: plain lines, and nothing that moves the cursor.
      expect(stderr).toMatch(/sending mixed\.jsonl \(\d+\.\d kB\) to http/)
      expect(stderr).toMatch(/60\/60 · .*anthropic 20 · openai 40/)
      expect(stderr).not.toContain('\u001b')
    })

    test('ends with 3 when lines failed, which are in the other file', async () => {
      await site.write('faulty.jsonl', file(4, ['gpt-4', 'fail-400']))
      const { code, stdout } = await site.run(['submit', 'faulty.jsonl', '--wait'])
      expect(code).toBe(3)
      const id = idIn(stdout)
      expect(await idsOf(`${id}_output.jsonl`)).toEqual(['row-0', 'row-2'])
      expect(await idsOf(`${id}_error.jsonl`)).toEqual(['row-1', 'row-3'])
      expect(stdout).toContain('4 lines, 2 answered (openai 4), 2 failed')
      expect(stdout).toContain(`npx baton batches retry ${id}`)
    })

    test('ends with 4 and what to do, line by line, when the file is wrong, of which nothing is sent', async () => {
      let sent = 0
      site.meet((_, path) => {
        sent += path.startsWith('/v1/files') ? 1 : 0
        return 'served'
      })
      const wrong = [line('a', 'gpt-4'), 'no json\n', '\n', line('a', 'gpt-4'), line('b', 'gpt-9')]
      await site.write('wrong.jsonl', wrong.join(''))
      const { code, stdout } = await site.run(['submit', 'wrong.jsonl', '--wait'])
      expect(code).toBe(4)
      expect(stdout).toMatch(/^ {2}line 2: .* \(invalid_json_line\)$/m)
      expect(stdout).toMatch(/^ {2}line 4: .*'a'.* \(duplicate_custom_id\)$/m)
      expect(stdout).toMatch(/^ {2}line 5: .*'gpt-9'.* \(model_not_found\)$/m)
      expect(stdout).toContain('give each line a custom_id of its own')
      expect(sent).toBe(0)
      const told = await site.run(['submit', 'wrong.jsonl', '--json'])
      expect(told.code).toBe(4)
      expect(JSON.parse(told.stdout)).toMatchObject({
        batch: null,
        faults: [{ line: 2 }, { line: 4, code: 'duplicate_custom_id' }, { line: 5, param: 'body.model' }],
      })
    })

    test('ends with 4 also when only the server finds what is wrong', async () => {
      const form = new FormData()
      form.set('purpose', 'batch')
      form.set('file', new Blob(['no json\n']), 'wrong.jsonl')
      const { id: input_file_id } = await site.ask<{ id: string }>('/v1/files', 'POST', form)
      const wanted = { input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h' }
      const { id } = await site.ask<BatchView>('/v1/batches', 'POST', wanted)
      const { code, stdout } = await site.run(['batches', 'wait', id])
      expect(code).toBe(4)
      expect(stdout).toMatch(/^ {2}line 1: .* \(invalid_json_line\)$/m)
    })

    test('ends with 5 when the batch is cancelled, with what was answered by then', async () => {
      await site.write('slow.jsonl', file(2, ['gpt-4', 'hang']))
      const waiting = site.start(['submit', 'slow.jsonl', '--wait', '--output', 'some', '--errors', 'rest'])
      await until(() => waiting.stderr.includes(' is created'))
      const id = idIn(waiting.stderr)
      await until(async () => (await site.batch(id)).request_counts.completed === 1)
      expect((await site.run(['batches', 'cancel', id])).code).toBe(0)
      const { code, stdout } = await waiting.ended
      expect(code).toBe(5)
      expect(stdout).toContain(`${id} cancelled`)
      expect([await idsOf('some'), await idsOf('rest')]).toEqual([['row-0'], ['row-1']])
    })

    test('leaves no file of an earlier batch under a name that was given', async () => {
      await site.write('one.jsonl', file(1))
      await site.write('old', 'of an earlier batch\n')
      expect((await site.run(['submit', 'one.jsonl', '--wait', '--errors', 'old'])).code).toBe(0)
      expect(await site.read('old')).toBe('')
    })

    test('goes on after Ctrl-C without the command, which says how to come back', async () => {
      await site.write('hung.jsonl', file(1, ['hang']))
      const waiting = site.start(['submit', 'hung.jsonl', '--wait'])
      await until(() => waiting.stderr.includes('in_progress') || waiting.stderr.includes('0/1'))
      const id = idIn(waiting.stderr)
      waiting.interrupt()
      const { code, stdout, stderr } = await waiting.ended
      expect({ code, stdout }).toEqual({ code: 130, stdout: '' })
      expect(stderr).toContain(`${id} goes on without this command.`)
      expect(stderr).toContain(`npx baton batches wait ${id}`)
      expect(stderr).toContain(`npx baton batches cancel ${id}`)
      expect((await site.batch(id)).status).toBe('in_progress')
      await site.run(['batches', 'cancel', id])
    })
  })

  test('without --wait, the id alone is on standard output; `batches wait` gets the results later', async () => {
    await site.write('later.jsonl', file(3))
    const { code, stdout, stderr } = await site.run(['submit', 'later.jsonl'])
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/^batch_[0-9a-z]{26}\n$/)
    const id = stdout.trim()
    expect(stderr).toContain(`npx baton batches wait ${id}`)
    const waited = await site.run(['batches', 'wait', id, '--output', 'later'])
    expect(waited.code).toBe(0)
    expect(await idsOf('later')).toEqual(rows(3))
  })

  test('--json answers the batch, and where its results are, and nothing else', async () => {
    await site.write('json.jsonl', file(2))
    const created = await site.run(['submit', 'json.jsonl', '--json', '--window', '2h', '--max-cost', '9.5'])
    const { batch, ...rest } = JSON.parse(created.stdout) as { batch: BatchView }
    expect(batch).toMatchObject({ object: 'batch', completion_window: '2h', max_cost_usd: 9.5 })
    expect(rest).toEqual({ output: null, errors: null })
    const ended = await site.run(['submit', 'json.jsonl', '--wait', '--json', '--output', 'j'])
    expect(JSON.parse(ended.stdout)).toMatchObject({
      batch: { status: 'completed', request_counts: { total: 2, completed: 2, failed: 0 } },
      output: expect.stringMatching(/\/j$/),
      errors: null,
    })
  })

  test('--webhook has the end told there, signed', async () => {
    await site.write('hook.jsonl', file(2))
    const { code, stdout } = await site.run([
      'submit',
      'hook.jsonl',
      '--wait',
      '--webhook',
      site.receiver.url,
    ])
    expect(code).toBe(0)
    const id = idIn(stdout)
    await until(() => site.receiver.events.some(event => (event as { data: { id: string } }).data.id === id))
    expect(site.receiver.deliveries.every(({ isVerified }) => isVerified)).toBe(true)
    expect(site.receiver.events.at(-1)).toMatchObject({ type: 'batch.completed' })
  })

  test('files for other endpoints are taken, and --endpoint holds all lines to one', async () => {
    const body = { model: 'gpt-4', input: 'hello' }
    const request = { custom_id: 'e', method: 'POST', url: '/v1/embeddings', body }
    await site.write('embed.jsonl', `${JSON.stringify(request)}\n`)
    const refused = await site.run(['submit', 'embed.jsonl', '--wait', '--endpoint', '/v1/completions'])
    expect(refused.code).toBe(4)
    expect(refused.stdout).toContain('--endpoint')
    // That of the first line, where none is given.
    const args = ['submit', 'embed.jsonl', '--wait', '--output', 'vectors']
    expect((await site.run(args)).code).toBe(0)
    expect(await idsOf('vectors')).toEqual(['e'])
  })

  describe('the way to the API is bad', () => {
    test('a wait outlives an API that is away for a while', async () => {
      await site.write('patient.jsonl', file(1, ['hang']))
      const waiting = site.start(['submit', 'patient.jsonl', '--wait'])
      await until(() => waiting.stderr.includes('0/1'))
      const id = idIn(waiting.stderr)
      site.meet(() => 'refused')
      await until(() => waiting.stderr.includes('API away, waiting'))
      await site.ask(`/v1/batches/${id}/cancel`, 'POST')
      site.meet(() => 'served')
      expect((await waiting.ended).code).toBe(5)
    })

    test('a batch is created once, though the answer was lost on the way', async () => {
      const batches = async () =>
        (await site.ask<{ data: BatchView[] }>('/v1/batches?limit=100')).data.map(({ id }) => id)
      const before = await batches()
      await site.write('once.jsonl', file(2))
      let lost = 0
      site.meet((method, path) => {
        if (method !== 'POST' || path !== '/v1/batches' || lost > 0) return 'served'
        lost += 1
        return 'lost'
      })
      const { code, stderr } = await site.run(['submit', 'once.jsonl', '--wait'])
      expect(code, stderr).toBe(0)
      expect(lost).toBe(1)
      expect((await batches()).filter(id => !before.includes(id))).toEqual([idIn(stderr)])
    })

    test('a download that breaks off is made again: the file is whole', async () => {
      await site.write('cut.jsonl', file(50))
      let cuts = 0
      site.meet((_, path) => {
        if (!path.endsWith('/content') || cuts > 0) return 'served'
        cuts += 1
        return 'cut'
      })
      const { code, stderr } = await site.run(['submit', 'cut.jsonl', '--wait', '--output', 'whole'])
      expect(code, stderr).toBe(0)
      expect(cuts).toBe(1)
      expect(await idsOf('whole')).toEqual(rows(50))
    })
  })
})
