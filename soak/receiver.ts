import { Webhook } from 'standardwebhooks'
import { createHttpListener, readBody } from '../src/sim/http-listener.ts'
import type { Ledger } from './ledger.ts'

export interface Receiver {
  readonly url: string
  stop(): Promise<void>
}

/** Verifies every webhook and keeps none, so that it can go on for hours. */
export const startReceiver = async (secret: string, ledger: Ledger): Promise<Receiver> => {
  const webhook = new Webhook(secret)
  const verified = (text: string, headers: object): boolean => {
    try {
      webhook.verify(text, headers as Record<string, string>)
      return true
    } catch {
      return false
    }
  }
  const listener = createHttpListener((req, res) => {
    readBody(req, text => {
      ledger.tookWebhook(JSON.parse(text).data.id, verified(text, req.headers))
      res.end()
    })
  })
  const { url } = await listener.start()
  return { url: `${url}/hook`, stop: listener.stop }
}
