import { openBatchWorker } from '../../workers/batch.ts'
import { type BatonInput, openBaton } from '../support/deployment.ts'

// The feeder of batches alone, as the entry point builds it.
const { life, context } = await openBaton(JSON.parse(process.argv[2]!) as BatonInput)
await openBatchWorker(life, context)
process.send!('ready')
