import type { z } from 'zod'
import type { ErrorCode } from '../../domain/errors.ts'

/** Groups of operations, in the order in which they are shown. */
export const tags = {
  Jobs: 'Single jobs: submitted, read, cancelled and retried.',
  Completions:
    'The paths of existing clients: the connection waits while the request goes through the queues.',
  Responses: "OpenAI's responses in the background.",
  Models: 'The routes of the config.',
  Files: "OpenAI's files.",
  Uploads: "OpenAI's uploads: files in parts.",
  Batches: "OpenAI's batches.",
  'Message batches': "Anthropic's message batches.",
  Operation: 'For the operators of this server.',
  Webhooks: 'What this server sends to the addresses that jobs and batches name.',
} as const

export interface DescribedResponse {
  readonly description: string
  /** `null` where nothing comes with the status. */
  readonly schema: z.ZodType
  /** `application/json` where absent. */
  readonly type?: string
  /** The response of the same status to a client that asks for another type in `Accept`. */
  readonly otherType?: DescribedResponse
}

/**
 * What the description says of a route beside what its own schema checks. Nothing here is checked or used
 * when a request is served, so that it costs none any time.
 */
export interface Operation {
  /** For ever: generated clients name their functions after it. */
  readonly id: string
  readonly summary: string
  readonly tag: keyof typeof tags
  /** The path as it is shown, where the router's would not be understood. */
  readonly url?: string
  /** Left out where the route's own schema has them. */
  readonly params?: z.ZodObject
  readonly query?: z.ZodType
  readonly headers?: z.ZodObject
  readonly body?: z.ZodType
  /** `application/json` where absent. */
  readonly bodyType?: string
  readonly bodyIsOptional?: true
  /** By status, or `default` for all that are not named. */
  readonly responses: Readonly<Record<string, DescribedResponse>>
  /** Beside those that any request may meet. */
  readonly errors: readonly ErrorCode[]
  /** Answers a job's failure as well, or with its provider's response. */
  readonly answersForJob?: true
  /** Answers nothing but that. */
  readonly isRetired?: true
  /** No API key is asked for. */
  readonly isOpen?: true
  /** Redis is not asked either. */
  readonly isLocal?: true
}

/** By method and path, as the router has both: `POST /v1/jobs`. */
export type Operations = Readonly<Record<string, Operation>>
