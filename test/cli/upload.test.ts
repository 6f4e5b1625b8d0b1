import { open, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { line } from '../batches/batch-desk.ts'
import { configFolder } from '../config/config-folder.ts'
import { openBatchSite } from './batch-site.ts'
import { startCommand } from './command.ts'

const fileBytes = 400_000_000
const lineBytes = 1_000_000

/** Peak of a process's memory, in bytes. */
const peakOf = async (pid: number): Promise<number> =>
  Number(/VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))![1]) * 1_024

const limits = { max_lines: 50_000, max_file_bytes: 2 * fileBytes, max_line_bytes: 2 * lineBytes }
const answers: Readonly<Record<string, object>> = {
  '/v1/files': { id: 'file-1' },
  '/v1/batches/check': { object: 'batch.check', unknown_models: [], ...limits },
}

/** An API that reads slower than the disk: how much of the file is held in between shows. */
const openSlowApi = async (received: (bytes: number) => Promise<void>): Promise<string> => {
  const server = createServer(async (request, answer) => {
    let bytes = 0
    let unpaused = 0
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length
      unpaused += chunk.length
      if (unpaused > 1_000_000) await delay(4)
      if (unpaused > 1_000_000) unpaused = 0
    }
    if (request.url === '/v1/files') await received(bytes)
    const body = answers[request.url!] ?? { error: { message: 'Enough.', code: 'enough' } }
    answer.writeHead(request.url! in answers ? 200 : 400).end(JSON.stringify(body))
  })
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('upload of baton submit', () => {
  test('a large file is checked and sent without being held, however slow the API reads', async () => {
    const cwd = configFolder({})
    const file = await open(join(cwd, 'large.jsonl'), 'w')
    const prompt = 'x'.repeat(lineBytes)
    for (let i = 0; i * lineBytes < fileBytes; i++) await file.write(line(`line-${i}`, 'gpt-4', prompt))
    await file.close()
    const uploads: { bytes: number; peak: number }[] = []
    const url = await openSlowApi(async bytes => {
      uploads.push({ bytes, peak: await peakOf(command.pid) })
    })
    const command = startCommand(['submit', 'large.jsonl', '--url', url], { cwd, env: {} })
    expect(await command.ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Enough. (enough)'),
    })
    expect(uploads[0]!.bytes).toBeGreaterThan(fileBytes)
    expect(uploads[0]!.peak).toBeLessThan(fileBytes / 2)
  })

  test('a file keeps its name; quotes in it are escaped as browsers do it', async () => {
    const site = await openBatchSite()
    onTestFinished(() => site.close())
    await site.write('schöne "Grüße".jsonl', line('a', 'gpt-4'))
    expect((await site.run(['submit', 'schöne "Grüße".jsonl', '--wait'])).code).toBe(0)
    const { data } = await site.ask<{ data: { filename: string }[] }>('/v1/files?purpose=batch')
    expect(data.map(({ filename }) => filename)).toEqual(['schöne %22Grüße%22.jsonl'])
  })
})
