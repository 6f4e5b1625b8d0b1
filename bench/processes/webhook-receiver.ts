import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'

/** What arrived since it was last asked. */
export interface Received {
  /** Different `webhook-id`s. */
  readonly events: number
  /** Whether the signature of the last delivery is good. */
  readonly isVerified: boolean
  readonly body: string
}

// Takes every delivery and answers 200 at once: to verify each would cost more than to sign it, and would be measured
// with it. `GET /` tells what arrived and verifies the last. Says its URL.
const { secret } = JSON.parse(process.argv[2]!) as { secret: string }
const webhook = new Webhook(secret)
let ids = new Set<string>()
let last: { readonly headers: IncomingHttpHeaders; readonly body: string } | null = null

const isVerified = (): boolean => {
  try {
    webhook.verify(last?.body ?? '', last?.headers as Record<string, string>)
    return true
  } catch {
    return false
  }
}

const server = createServer({ keepAliveTimeout: 0 }, (req, res) => {
  if (req.method === 'GET') {
    const received: Received = { events: ids.size, isVerified: isVerified(), body: last?.body ?? '' }
    ids = new Set()
    return res.end(JSON.stringify(received))
  }
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', () => {
    ids.add(String(req.headers['webhook-id']))
    last = { headers: req.headers, body: Buffer.concat(chunks).toString() }
    res.end()
  })
})
server.listen(0, '127.0.0.1', () => {
  process.send!(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
