import { serveApi } from '../../src/api/serve.ts'
import { type BatonInput, openBaton } from '../support/deployment.ts'

// The API alone, as the entry point builds it. Says its URL.
const { life, context } = await openBaton(JSON.parse(process.argv[2]!) as BatonInput)
process.send!((await serveApi(life, context)).url)
