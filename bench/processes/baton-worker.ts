import { openProviderWorker } from '../../workers/provider.ts'
import { type BatonInput, openBaton, provider } from '../support/deployment.ts'

// One provider's worker, as the entry point builds it.
const input = JSON.parse(process.argv[2]!) as BatonInput
const { life, context } = await openBaton(input)
await openProviderWorker(life, context, input.worksOn ?? provider)
process.send!('ready')
