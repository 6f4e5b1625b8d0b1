import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'

// A receiver of webhooks in a few lines: `BATON_WEBHOOK_SECRET=whsec_… npx node examples/webhook-receiver.ts 9000`.
const webhook = new Webhook(process.env.BATON_WEBHOOK_SECRET ?? '')
const port = Number(process.argv[2] ?? 9000)

interface JobEvent {
  type: string
  data: { id: string }
}

/** Deliveries are at least once. A real receiver keeps these ids where it keeps what the event changes. */
const seen = new Set<string>()

const server = createServer(async (request, response) => {
  const body = await text(request)
  try {
    const event = webhook.verify(body, request.headers as Record<string, string>) as JobEvent
    const id = String(request.headers['webhook-id'])
    if (!seen.has(id)) console.log(`verified ${event.type} of ${event.data.id}`)
    seen.add(id)
    response.writeHead(204).end()
  } catch {
    console.log('refused: the signature does not verify')
    response.writeHead(401).end()
  }
})

server.listen(port, '127.0.0.1', () => console.log(`waiting for webhooks on http://127.0.0.1:${port}/`))
