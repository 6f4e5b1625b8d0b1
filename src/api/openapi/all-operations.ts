import { messageBatchOperations } from '../batches/message-batch-openapi.ts'
import { batchOperations } from '../batches/openapi.ts'
import { fileOperations, uploadOperations } from '../files/openapi.ts'
import { jobOperations, syncOperations } from '../jobs/openapi.ts'
import { modelOperations, operatorOperations } from '../operator/openapi.ts'
import type { Operations } from './operation.ts'

/** Every route of the API; a test compares them with those that the router knows. */
export const operations: Operations = {
  ...jobOperations,
  ...syncOperations,
  ...modelOperations,
  ...fileOperations,
  ...uploadOperations,
  ...batchOperations,
  ...messageBatchOperations,
  ...operatorOperations,
}
