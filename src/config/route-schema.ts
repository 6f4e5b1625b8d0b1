import { z } from 'zod'
import { modelFacts } from './model-schema.ts'

export const route = z.strictObject({
  ...modelFacts,
  provider: z.string().min(1),
  /** The next route, or several in order. */
  fallback_to: z
    .union([z.string().min(1), z.array(z.string().min(1))], 'expected the name of a route, or a list of them')
    .optional(),
  /** What a refusal does: end the job as succeeded with a flag, or try the next target. */
  on_refusal: z.enum(['succeed', 'handover']).default('succeed'),
})
