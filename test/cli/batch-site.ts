import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, request, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BatchView } from '../../src/batches/view.ts'
import { createSimProvider } from '../../src/sim/sim-provider.ts'
import { createWebhookReceiver, type WebhookReceiver } from '../../src/sim/webhook-receiver.ts'
import { openBaton } from '../support/open-baton.ts'
import { type Command, type Ended, runHere, startCommand } from './command.ts'

export const clientKey = 'client-key-1'
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** What a request meets on its way to the API; `lost` reaches the API, but its answer does not come back. */
export type Fate = 'served' | 'refused' | 'lost' | 'cut'

/** Baton with an API, a batch worker and simulated providers in this process, and the command in others. */
export interface BatchSite {
  readonly url: string
  readonly receiver: WebhookReceiver
  /** Decides on each request that comes to `url`. All are served at first. */
  meet(fate: (method: string, path: string) => Fate): void
  /** Starts the command in the site's folder, with its address and key in the environment unless told otherwise. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>): Command
  /** The same, in this process. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>, input?: string): Promise<Ended>
  write(name: string, text: string): Promise<void>
  read(name: string): Promise<string>
  /** Asks the API itself. */
  ask<T>(path: string, method?: string, body?: object): Promise<T>
  batch(id: string): Promise<BatchView>
  close(): Promise<void>
}

/** Passes requests on to the API, or has them meet with an accident. */
const openFront = async (apiUrl: string, fateOf: (method: string, path: string) => Fate) => {
  const front: Server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming
    const fate = fateOf(method, url)
    if (fate === 'refused') return void incoming.socket.destroy()
    const onward = request(`${apiUrl}${url}`, { method, headers }, answer => {
      if (fate === 'lost') {
        answer.resume().once('end', () => incoming.socket.destroy())
        return
      }
      outgoing.writeHead(answer.statusCode!, answer.headers)
      if (fate === 'served') return void answer.pipe(outgoing)
      answer.once('data', (chunk: Buffer) => {
        outgoing.write(chunk.subarray(0, 10), () => incoming.socket.destroy())
      })
    })
    onward.once('error', () => incoming.socket.destroy())
    incoming.pipe(onward)
  })
  await new Promise<void>(listening => front.listen(0, '127.0.0.1', listening))
  const { port } = front.address() as { port: number }
  return { url: `http://127.0.0.1:${port}`, close: () => new Promise(closed => front.close(closed)) }
}

export const openBatchSite = async (): Promise<BatchSite> => {
  const dir = await mkdtemp(join(tmpdir(), 'baton-submit-'))
  const [openai, anthropic] = [createSimProvider(), createSimProvider()]
  const receiver = createWebhookReceiver({ secret })
  await Promise.all([openai.start(), anthropic.start(), receiver.start()])
  const baton = await openBaton({
    level: 'api',
    config: {
      providers: {
        openai: { type: 'openai', base_url: `${openai.url}/v1`, api_key: 'k' },
        anthropic: { type: 'anthropic', base_url: anthropic.url, api_key: 'k' },
      },
      models: {
        'gpt-4': { provider: 'openai', price: { input: 1, output: 2 } },
        claude: { provider: 'anthropic' },
        'fail-400': { provider: 'openai' },
        hang: { provider: 'openai' },
      },
      api_keys: [clientKey],
      webhooks: { secret, allowed_networks: ['127.0.0.0/8'] },
      storage: { path: join(dir, 'blobs') },
      batches: { max_lines: 300, max_file_bytes: 1_000_000 },
    },
    batches: true,
    webhooks: true,
  })
  let fateOf = (_method: string, _path: string): Fate => 'served'
  const front = await openFront(baton.url, (method, path) => fateOf(method, path))
  const usual = { BATON_URL: front.url, BATON_API_KEY: clientKey }

  const start: BatchSite['start'] = (args, env = usual) => startCommand(args, { cwd: dir, env })
  const ask = async <T>(path: string, method = 'GET', body?: object): Promise<T> => {
    const isForm = body instanceof FormData
    const type = body === undefined || isForm ? {} : { 'content-type': 'application/json' }
    const headers = { authorization: `Bearer ${clientKey}`, ...type }
    const sent = body && { body: isForm ? body : JSON.stringify(body) }
    return (await (await fetch(`${baton.url}${path}`, { method, headers, ...sent })).json()) as T
  }
  return {
    url: front.url,
    receiver,
    meet: fate => {
      fateOf = fate
    },
    start,
    run: (args, env = usual, input = '') => runHere(args, { cwd: dir, env, input }),
    write: (name, text) => writeFile(join(dir, name), text),
    read: name => readFile(join(dir, name), 'utf8'),
    ask,
    batch: id => ask<BatchView>(`/v1/batches/${id}`),
    close: async () => {
      await front.close()
      await baton.stop()
      await Promise.all([openai.stop(), anthropic.stop(), receiver.stop()])
      await rm(dir, { recursive: true, force: true })
    },
  }
}
