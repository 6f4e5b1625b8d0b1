import { serveApi } from '../../src/api/serve.ts'
import { openProviderWorker } from '../../workers/provider.ts'
import { type BatonInput, openBaton } from '../support/deployment.ts'

// The API and the workers of all providers in one process, as `npm start` has them. Says its URL.
const { life, context } = await openBaton(JSON.parse(process.argv[2]!) as BatonInput)
for (const name of Object.keys(context.config.providers)) await openProviderWorker(life, context, name)
process.send!((await serveApi(life, context)).url)
