import { batchOperations } from './batches.ts'
import { fileOperations, uploadOperations } from './files.ts'
import { doorOperations, jobOperations } from './jobs.ts'
import { messageBatchOperations } from './message-batches.ts'
import type { Operations } from './operation.ts'
import { modelOperations, operatorOperations } from './operator.ts'

/** Every route of the API; a test compares them with those that the router knows. */
export const operations: Operations = {
  ...jobOperations,
  ...doorOperations,
  ...modelOperations,
  ...fileOperations,
  ...uploadOperations,
  ...batchOperations,
  ...messageBatchOperations,
  ...operatorOperations,
}
