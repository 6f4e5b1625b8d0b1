import { z } from 'zod'
import { BatonError } from '../../domain/errors.ts'
import { isJobId } from '../../redis/keys.ts'
import { type DeadLetter, letterCursor, parseLetterCursor } from '../../webhooks/dead-letters.ts'
import { readParameters } from '../http/parameters.ts'
import type { ApiParts, ApiScope } from '../parts.ts'
import { type FoundLetter, type LetterFilter, readLetterPage } from './letter-page.ts'
import type { ReplayView } from './receiver-view.ts'
import { readReceivers } from './receivers.ts'

export const replayRequest = z.strictObject({
  receiver: z
    .string()
    .max(2_048)
    .meta({ description: 'The origin of the webhooks’ URL, as `GET /v1/admin/webhooks` names it.' }),
  tenant: z.string().max(500).optional().meta({ description: 'Only of this tenant.' }),
  died_before: z.number().min(0).optional().meta({ description: 'Unix seconds; now when absent.' }),
  cursor: z.string().max(100).optional().meta({ description: 'The `next_cursor` of the step before.' }),
  expected_count: z
    .int()
    .min(0)
    .optional()
    .meta({ description: 'How many there are to be: with another number nothing is sent again.' }),
})

type ReplayParts = Pick<ApiParts, 'batches' | 'deadLetters' | 'deliveries' | 'now' | 'store'>

/** Letters that one request sends again; the next goes on behind them, and what dies meanwhile is not among those. */
const perStep = 500
/** More are not counted: a replay that expects a number is of fewer. */
const mostCounted = 10_000

/**
 * `GET /v1/admin/webhooks`: receivers, by what waits for them and what was given up. `POST /v1/dead-letters/redeliver`: sends the dead
 * letters of one of them again, some at a time.
 */
export const addReceiverRoutes = (
  scope: ApiScope,
  parts: ReplayParts & Pick<ApiParts, 'receiverTallies' | 'schedule'>,
): void => {
  const { deliveries, now } = parts

  scope.get('/v1/admin/webhooks', () => readReceivers(parts))

  const replay = async ({ letter: { id } }: FoundLetter): Promise<boolean> =>
    (isJobId(id) ? deliveries.jobs : deliveries.batches).redeliver(id)

  scope.post('/v1/dead-letters/redeliver', async (request, reply): Promise<ReplayView> => {
    const { receiver, tenant = null, ...asked } = readParameters(replayRequest, request.body)
    const diedBeforeMs = asked.died_before === undefined ? now() : asked.died_before * 1_000
    const before = placeOf(asked.cursor) ?? { id: '', diedAtMs: Math.ceil(diedBeforeMs) }
    const filter: LetterFilter = { tenant, receiver, sinceMs: 0 }
    if (asked.expected_count !== undefined) await expectCount(parts, filter, before, asked.expected_count)
    const { found, next } = await readLetterPage(parts, filter, before, perStep)
    const sent = await Promise.all(found.map(replay))
    reply.code(202)
    return {
      receiver,
      redelivered: sent.filter(Boolean).length,
      next_cursor: next && letterCursor(next),
    }
  })
}

const placeOf = (cursor: string | undefined): DeadLetter | null => {
  const place = cursor === undefined ? null : parseLetterCursor(cursor)
  if (cursor === undefined || place !== null) return place
  const message = '`cursor` must be the `next_cursor` of the step before.'
  throw new BatonError('invalid_cursor', message, { param: 'cursor' })
}

/** Throws `count_changed`: who confirmed a number of letters has not confirmed others. */
const expectCount = async (
  parts: ReplayParts,
  filter: LetterFilter,
  before: DeadLetter,
  expected: number,
): Promise<void> => {
  let count = 0
  for (let place: DeadLetter | null = before; place !== null && count <= mostCounted; ) {
    const page = await readLetterPage(parts, filter, place, perStep)
    count += page.found.length
    place = page.next
  }
  if (count === expected) return
  throw new BatonError(
    'count_changed',
    `There are ${count} dead letters of this receiver, not ${expected}.`,
    {
      param: 'expected_count',
    },
  )
}
