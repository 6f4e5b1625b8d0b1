import { z } from 'zod'
import { mayDo, roles } from '../../domain/access.ts'
import type { Dialect } from '../../domain/endpoint.ts'
import { type ErrorCode, errorCodes } from '../../domain/errors.ts'
import { failureStatus, type JobErrorCode, jobErrorCodes } from '../../domain/job.ts'
import { routeRights } from '../http/route-rights.ts'
import { errorsOfEveryRoute, errorsOfGuardedRoutes } from './error-sets.ts'
import type { DescribedResponse, Operation } from './operation.ts'

interface Code {
  readonly code: string
  readonly status: number
  readonly help: string
}

const jobCodes: readonly Code[] = Object.entries(jobErrorCodes).map(([code, help]) => ({
  code,
  status: failureStatus[code as JobErrorCode],
  help,
}))

/** `route`: its method and path. */
const codesOf = ({ errors, answersForJob, isOpen, isLocal }: Operation, route: string): readonly Code[] => {
  const known = new Set<ErrorCode>([...errors, ...errorsOfEveryRoute])
  if (!isOpen) for (const code of errorsOfGuardedRoutes) known.add(code)
  const right = routeRights[route]
  const isForAll = right === undefined || right === 'open' || roles.every(role => mayDo(role, right))
  if (!isForAll) known.add('permission_denied')
  if (!isLocal) known.add('redis_unavailable')
  const own = [...known].map(code => ({ code, ...errorCodes[code] }))
  return answersForJob ? [...own, ...jobCodes] : own
}

/** The error responses of an operation by status, each with all its codes. */
export const errorResponses = (
  operation: Operation,
  route: string,
  dialects: readonly Dialect[],
): Readonly<Record<string, DescribedResponse>> =>
  Object.fromEntries(
    [...Map.groupBy(codesOf(operation, route), ({ status }) => status)].map(([status, codes]) => [
      status,
      {
        description: codes.map(({ code, help }) => `\`${code}\`: ${help}`).join('\n\n'),
        schema: oneOf(dialects.map(dialect => shapes[dialect](codes, status))),
      },
    ]),
  )

/** As `errorBody` in the domain makes it. */
const shapes: Readonly<Record<Dialect, (codes: readonly Code[], status: number) => z.ZodType>> = {
  openai: (codes, status) =>
    z.object({
      error: z.object({
        message: z.string(),
        type: z.string(),
        param: z.string().nullable(),
        code: z.enum(codes.map(({ code }) => code)),
      }),
      ...(status >= 500 && { request_id: z.string() }),
    }),
  anthropic: codes =>
    z.object({
      type: z.literal('error'),
      error: z.object({
        type: z.string(),
        message: z.string(),
        details: z.object({ error_code: z.enum(codes.map(({ code }) => code)) }),
      }),
      request_id: z.string(),
    }),
}

export const oneOf = (schemas: readonly z.ZodType[]): z.ZodType =>
  schemas.length === 1 ? schemas[0]! : z.union(schemas)
