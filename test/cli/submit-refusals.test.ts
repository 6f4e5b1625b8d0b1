import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { findFreePort } from '../../src/redis/dev/probe.ts'
import { line } from '../batches/batch-desk.ts'
import { type BatchSite, clientKey, openBatchSite } from './batch-site.ts'

let site: BatchSite
beforeAll(async () => {
  site = await openBatchSite()
  await site.write('good.jsonl', line('a', 'gpt-4'))
  await site.write('empty.jsonl', '')
  await site.write('large.jsonl', line('a', 'gpt-4', 'x'.repeat(6_000_000)))
})
afterAll(() => site.close())

/** What is told, on one line, when the command ends with 1 and nothing on standard output. */
const refusal = async (args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string> => {
  const { code, stdout, stderr } = await site.run(args, env)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  const lines = stderr.trimEnd().split('\n')
  expect(lines.filter(text => !text.startsWith('sending '))).toHaveLength(1)
  return lines.at(-1)!
}

describe('baton submit refuses', () => {
  describe('the file', () => {
    test.each([
      ['is not there', 'gone.jsonl', 'gone.jsonl: there is no such file'],
      ['is a folder', '.', '.: this is a directory'],
      ['is empty', 'empty.jsonl', 'empty.jsonl: the file is empty, write one request to a line'],
      ['is no regular file', '/dev/null', '/dev/null: cannot be read (not a regular file)'],
    ])('%s', async (_, name, message) => {
      expect(await refusal(['submit', name])).toBe(message)
    })

    test('has a line that is larger than the API takes', async () => {
      const { code, stdout } = await site.run(['submit', 'large.jsonl'])
      expect(code).toBe(4)
      expect(stdout).toMatch(/^ {2}line 1: This line is longer than .* \(invalid_request\)$/m)
    })
  })

  describe('the key', () => {
    test('is wrong', async () => {
      const env = { BATON_URL: site.url, BATON_API_KEY: 'wrong-key' }
      const message = await refusal(['submit', 'good.jsonl'], env)
      expect(message).toBe(
        `the API at ${site.url} does not take this key: set BATON_API_KEY, or use --api-key`,
      )
    })

    test('is missing', async () => {
      const message = await refusal(['submit', 'good.jsonl'], { BATON_URL: site.url })
      expect(message).toBe(`the API at ${site.url} wants a key: set BATON_API_KEY, or use --api-key`)
    })

    test('is in the options', async () => {
      const args = ['submit', 'good.jsonl', '--url', `${site.url}/v1`, '--api-key', clientKey]
      expect((await site.run(args, {})).code).toBe(0)
    })
  })

  describe('the API', () => {
    test('is away', async () => {
      const url = `http://127.0.0.1:${await findFreePort()}`
      const message = await refusal(['submit', 'good.jsonl', '--url', url])
      expect(message).toBe(
        `no answer from the API at ${url} (ECONNREFUSED): start it with \`npx baton serve\`, or name another with --url or BATON_URL`,
      )
    })

    test.each([
      ['something else', 200, {}, 'is not Baton'],
      ['something that knows no batches', 404, {}, 'is not Baton'],
      ['in trouble', 502, {}, 'cannot serve now: status 502'],
      ['elsewhere', 308, { location: 'https://baton.example' }, 'leads to https://baton.example'],
    ])('is %s', async (_, status, headers, message) => {
      const server = createServer((_, answer) => answer.writeHead(status, headers).end('<p>hello</p>'))
      await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
      onTestFinished(() => {
        server.closeAllConnections()
        server.close()
      })
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      expect(await refusal(['submit', 'good.jsonl', '--url', url])).toContain(message)
    })

    test.each([['ftp://127.0.0.1'], ['127.0.0.1:8000'], ['']])(
      'has an address that is none: %j',
      async url => {
        const env = { BATON_URL: 'nonsense', BATON_API_KEY: clientKey }
        expect(await refusal(['submit', 'good.jsonl', '--url', url], env)).toContain('http:// or https://')
      },
    )
  })

  test('what the API refuses is told in its words, and the file is not left there', async () => {
    // Not the output of a batch of another test, which may just have ended.
    const files = async () => {
      const { data } = await site.ask<{ data: { purpose: string }[] }>('/v1/files')
      return data.filter(({ purpose }) => purpose === 'batch').length
    }
    const before = await files()
    expect(await refusal(['submit', 'good.jsonl', '--window', '3y'])).toContain('completion_window')
    expect((await site.run(['submit', 'good.jsonl', '--max-cost', 'much'])).stderr).toContain('US dollars')
    expect(await refusal(['submit', 'good.jsonl', '--endpoint', '/v1/songs'])).toContain('endpoint')
    await site.write('unpriced.jsonl', line('a', 'fail-400'))
    expect(await refusal(['submit', 'unpriced.jsonl', '--max-cost', '1'])).toContain('(price_unknown)')
    const wrong = await site.run(['submit', 'good.jsonl', '--metadata', 'team'])
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('KEY=VALUE') })
    expect(await refusal(['submit', 'good.jsonl', '--metadata', `team=${'x'.repeat(600)}`])).toContain(
      'metadata',
    )
    expect(await refusal(['submit', 'good.jsonl', '--webhook', 'http://10.0.0.1/'])).toContain(
      'webhook_address_forbidden',
    )
    expect(await files()).toBe(before)
  })

  test('a place that cannot be written is told before anything is sent', async () => {
    expect(await refusal(['submit', 'good.jsonl', '--wait', '--output', '/nowhere/x'])).toBe(
      '/nowhere/x: there is no such folder',
    )
    expect(await refusal(['submit', 'good.jsonl', '--wait', '--output', 'x', '--errors', 'x'])).toBe(
      '--output and --errors must be two files',
    )
  })

  test('a command line that makes no sense ends with 2', async () => {
    for (const args of [
      ['submit'],
      ['submit', 'good.jsonl', '--output', 'x'],
      ['batches', 'list', '--limit', '0'],
      ['batches', 'sing'],
    ]) {
      expect((await site.run(args)).code, args.join(' ')).toBe(2)
    }
  })

  describe('batches', () => {
    test('list, show, cancel and retry, for people and in JSON', async () => {
      await site.write('failing.jsonl', line('a', 'gpt-4') + line('b', 'fail-400'))
      const { stdout, code } = await site.run(['submit', 'failing.jsonl', '--wait', '--json'])
      expect(code).toBe(3)
      const { id } = (JSON.parse(stdout) as { batch: { id: string } }).batch
      const row = new RegExp(`^${id} +completed +2/2 +1 +\\d{4}-`, 'm')
      expect((await site.run(['batches', 'list'])).stdout).toMatch(row)
      expect(JSON.parse((await site.run(['batches', 'list', '--json'])).stdout)).toContainEqual(
        expect.objectContaining({ id }),
      )
      const shown = await site.run(['batches', 'show', id])
      expect(shown.stdout).toMatch(/^ {2}lines +2: 1 answered, 1 failed$/m)
      expect((await site.run(['batches', 'cancel', id])).stderr).toContain('batch_finished')
      const retried = await site.run(['batches', 'retry', id, '--json'])
      expect(JSON.parse(retried.stdout)).toMatchObject({ retry_of: id })
    })

    test('an id that is none', async () => {
      for (const action of ['show', 'wait', 'cancel', 'retry']) {
        expect(await refusal(['batches', action, 'batch_1'])).toContain('batch_not_found')
      }
    })
  })
})
