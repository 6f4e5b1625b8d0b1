import { readFile } from 'node:fs/promises'
import type { Redis } from 'ioredis'
import { createKeys, isBatchId, isJobId } from '../../src/redis/keys.ts'
import type { Evidence, Violation } from '../audit/evidence.ts'
import { redisPrefix } from '../cluster/config.ts'
import type { Fault } from '../faults/fault-log.ts'

/** Something that happened, at a time in Unix ms. */
interface Happening {
  readonly atMs: number
  readonly what: string
}

/** Faults this long before the first and after the last trace of a request may have to do with it. */
const aroundMs = 5_000

const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 23)

/** All that is known of what a violation is about, in the order of time: for a person who looks for the cause. */
export const historyOf = async (
  violation: Violation,
  evidence: Evidence,
  redis: Redis,
  logFiles: ReadonlyMap<string, string>,
): Promise<string> => {
  const { id, marker } = violation
  const happenings = [
    ...callsOf(evidence, marker),
    ...deliveriesOf(evidence, id),
    ...sightingsOf(evidence, id),
    ...clientOf(evidence, marker),
    ...(await logLinesOf(logFiles, [id, marker])),
  ]
  const times = happenings.map(({ atMs }) => atMs)
  const faults = faultsBetween(evidence.faults, Math.min(...times) - aroundMs, Math.max(...times) + aroundMs)
  const lines = [...happenings, ...faults].toSorted((a, b) => a.atMs - b.atMs)
  return [
    `--- ${marker ?? ''} ${id ?? ''}`,
    ...lines.map(({ atMs, what }) => `${clock(atMs)} ${what}`),
    ...(await recordOf(redis, id)),
    ...viewOf(evidence, id),
  ].join('\n')
}

const callsOf = ({ calls }: Evidence, marker: string | null): Happening[] =>
  calls
    .filter(({ identity }) => marker !== null && identity === marker)
    .map(({ startedAtMs, endedAtMs, provider, caller, outcome, status }) => ({
      atMs: startedAtMs,
      what: `call to ${provider} by ${caller}: ${outcome}, ${status ?? 'not answered'}, until ${endedAtMs ? clock(endedAtMs) : 'now'}`,
    }))

const deliveriesOf = ({ deliveries }: Evidence, id: string | null): Happening[] =>
  deliveries
    .filter(({ event }) => id !== null && (event as { data?: { id?: unknown } })?.data?.id === id)
    .map(({ atMs, id, event, status }) => ({
      atMs,
      what: `webhook ${id} (${(event as { type: string }).type}), answered ${status}`,
    }))

const sightingsOf = ({ sightings }: Evidence, id: string | null): Happening[] =>
  sightings
    .filter(sighting => id !== null && sighting.id === id)
    .map(({ atMs, fingerprint, bytes }) => ({
      atMs,
      what: `seen by a client: ${fingerprint.slice(0, 12)}${bytes === null ? '' : `, ${bytes} bytes of output`}`,
    }))

const clientOf = ({ ledger }: Evidence, marker: string | null): Happening[] =>
  [
    ...ledger.jobs,
    ...ledger.batches.map(batch => ({ ...batch, order: { ...batch.order, marker: batch.order.name } })),
  ]
    .filter(({ order }) => order.marker === marker)
    .flatMap(({ acceptedAtMs, cancel }) => [
      ...(acceptedAtMs === null ? [] : [{ atMs: acceptedAtMs, what: 'accepted, as the client was told' }]),
      ...(cancel === null ? [] : [{ atMs: cancel.atMs, what: `cancel answered ${cancel.status}` }]),
    ])

const faultsBetween = (faults: readonly Fault[], fromMs: number, untilMs: number): Happening[] =>
  faults
    .filter(({ beganAtMs, endedAtMs }) => beganAtMs <= untilMs && (endedAtMs ?? untilMs) >= fromMs)
    .map(({ number, kind, target, beganAtMs, endedAtMs, note }) => ({
      atMs: beganAtMs,
      what: `FAULT ${number}: ${kind} ${target}, until ${endedAtMs ? clock(endedAtMs) : 'now'} ${note}`,
    }))

/** Clients look again and again; the audit reports what they saw. */
const looks = '"method":"GET"'

const logLinesOf = async (
  logFiles: ReadonlyMap<string, string>,
  words: readonly (string | null)[],
): Promise<Happening[]> => {
  const wanted = words.filter(word => word !== null).map(word => `"${word}`)
  const found = await Promise.all(
    [...logFiles].map(async ([name, path]) =>
      (await readFile(path, 'utf8').catch(() => ''))
        .split('\n')
        .filter(
          line =>
            line.startsWith('{') &&
            line.endsWith('}') &&
            !line.includes(looks) &&
            wanted.some(word => line.includes(word)),
        )
        .map(line => ({
          atMs: (JSON.parse(line) as { time: number }).time,
          what: `log of ${name}: ${line}`,
        })),
    ),
  )
  return found.flat()
}

const recordOf = async (redis: Redis, id: string | null): Promise<string[]> => {
  if (id === null || !(isJobId(id) || isBatchId(id))) return []
  const keys = createKeys(redisPrefix)
  const record = await redis.hgetall(isJobId(id) ? keys.record(id) : keys.batch(id))
  return [`its record in Redis: ${JSON.stringify(record)}`]
}

const viewOf = ({ jobs, batches }: Evidence, id: string | null): string[] => {
  const view = id === null ? undefined : (jobs.get(id) ?? batches.get(id)?.view)
  return view === undefined ? [] : [`as the API shows it: ${JSON.stringify(view)}`]
}
