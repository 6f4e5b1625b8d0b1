import { openWebhookWorker } from '../../workers/webhook.ts'
import { type BatonInput, openBaton } from '../support/deployment.ts'

// The worker that delivers webhooks alone, as the entry point builds it.
const { life, context } = await openBaton(JSON.parse(process.argv[2]!) as BatonInput)
await openWebhookWorker(life, context)
process.send!('ready')
