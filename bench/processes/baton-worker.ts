import { openProviderWorker } from '../../workers/provider.ts'
import { type BatonInput, openBaton, provider } from '../support/deployment.ts'

// One provider's worker, as the entry point builds it.
const { life, core } = await openBaton(JSON.parse(process.argv[2]!) as BatonInput)
await openProviderWorker(life, core, provider)
process.send!('ready')
