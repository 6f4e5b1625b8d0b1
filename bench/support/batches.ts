import { openAsBlob } from 'node:fs'
import { open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { chatBody, chatPath } from './chat.ts'
import { model } from './deployment.ts'

/** The part of a batch that the bench looks at. */
export interface Batch {
  readonly id: string
  readonly status: string
  readonly output_file_id: string | null
  readonly request_counts: { readonly total: number; readonly completed: number; readonly failed: number }
}

/** A request whose line in a file takes `lineBytes`. */
export const requestOf = (lineBytes: number, customId = ''): string => {
  const line = (content: string) =>
    JSON.stringify({
      custom_id: customId,
      method: 'POST',
      url: chatPath,
      body: { model, messages: [{ role: 'user', content }] },
    })
  return line('x'.repeat(Math.max(1, lineBytes - line('').length - 1)))
}

/** A line that asks for what `chatText` does. */
export const chatLineBytes =
  JSON.stringify({ custom_id: 'row-1000', method: 'POST', url: chatPath, body: chatBody }).length + 1

/** Writes a file of requests `row-1` to `row-<count>`, each on a line of `lineBytes`. */
export const writeRequests = async (path: string, count: number, lineBytes: number): Promise<void> => {
  const file = await open(path, 'w')
  try {
    for (let from = 1; from <= count; from += 1_000) {
      const rows = Math.min(1_000, count - from + 1)
      const lines = Array.from({ length: rows }, (_, i) => requestOf(lineBytes, `row-${from + i}`))
      await file.write(`${lines.join('\n')}\n`)
    }
  } finally {
    await file.close()
  }
}

const expectOk = async (response: Response): Promise<Response> => {
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`)
  return response
}

/** What a user's script does with batches, over HTTP. */
export const createBatchClient = (url: string) => {
  const get = async (path: string): Promise<Response> => expectOk(await fetch(`${url}${path}`))
  const retrieve = async (id: string): Promise<Batch> =>
    (await (await get(`/v1/batches/${id}`)).json()) as Batch

  return {
    retrieve,
    upload: async (path: string): Promise<string> => {
      const form = new FormData()
      form.set('purpose', 'batch')
      form.set('file', await openAsBlob(path), 'requests.jsonl')
      const response = await expectOk(await fetch(`${url}/v1/files`, { method: 'POST', body: form }))
      return ((await response.json()) as { id: string }).id
    },
    create: async (input_file_id: string): Promise<Batch> => {
      const response = await fetch(`${url}/v1/batches`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ input_file_id, endpoint: chatPath, completion_window: '24h' }),
      })
      return (await (await expectOk(response)).json()) as Batch
    },
    /** Resolves with the batch as soon as a look at it, one every `everyMs`, says yes. */
    until: async (id: string, yes: (batch: Batch) => boolean, everyMs = 10): Promise<Batch> => {
      for (;;) {
        const batch = await retrieve(id)
        if (yes(batch)) return batch
        if (batch.status === 'failed') throw new Error(`batch ${id} failed: ${JSON.stringify(batch)}`)
        await delay(everyMs)
      }
    },
    /** How many different requests the output file answers. Read as a stream. */
    countAnswers: async (fileId: string): Promise<number> => {
      const { body } = await get(`/v1/files/${fileId}/content`)
      const ids = new Set<string>()
      let rest = ''
      for await (const text of body!.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + text).split('\n')
        rest = lines.pop()!
        for (const line of lines) ids.add(/"custom_id":"([^"]+)"/.exec(line)![1]!)
      }
      return ids.size
    },
  }
}

export type BatchClient = ReturnType<typeof createBatchClient>
