import type { ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { createHttpListener } from '../../src/sim/http-listener.ts'
import { nowMicros, type Pace } from '../support/stream-load.ts'

// A provider whose tokens are the time at which they were written. Says its URL.

interface Asked {
  readonly user: string
  readonly stream_options?: { readonly include_usage?: boolean }
}

const shared = '"object":"chat.completion.chunk","created":1700000000,"model":"gpt-4"'
const usage = { prompt_tokens: 50, completion_tokens: 1, total_tokens: 51 }
let made = 0

const answer = (res: ServerResponse, { user, stream_options }: Asked): void => {
  const { tokens, firstTokenMs, gapMs } = JSON.parse(user) as Pace
  const head = `data: {"id":"chatcmpl-bench${++made}",${shared},"choices":`
  const chunk = (delta: string, finish: string): string =>
    `${head}[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finish}}]}\n\n`
  let sent = 0
  const next = (): void => {
    if (res.destroyed) return
    res.write(chunk(`{"content":"${nowMicros()} "}`, 'null'))
    if (++sent < tokens) {
      setTimeout(next, gapMs)
      return
    }
    res.write(chunk('{}', '"stop"'))
    if (stream_options?.include_usage)
      res.write(`${head}[],"usage":${JSON.stringify({ ...usage, completion_tokens: tokens })}}\n\n`)
    res.end('data: [DONE]\n\n')
  }
  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  res.write(chunk('{"role":"assistant","content":""}', 'null'))
  setTimeout(next, firstTokenMs)
}

const { url } = await createHttpListener((req, res) => {
  if (req.method === 'POST') void json(req).then(body => answer(res, body as Asked))
  else res.end('{"object":"list","data":[]}')
}).start()
process.send!(url)
