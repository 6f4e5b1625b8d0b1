import { type Trouble, troublesOf } from '../../health/troubles.ts'
import { renderTime } from '../../terminal/format.ts'
import { type CommandIo, renderJson } from '../command-io.ts'
import {
  type BlockedBatch,
  type ProviderState,
  readBlockedBatches,
  readConfigsTrouble,
  readDeadLetters,
  readProviders,
} from '../operator-client.ts'
import { type Session, type SessionOptions, withSession } from '../session.ts'
import { type WatchOptions, watching } from '../watching.ts'
import { describeProviders } from './providers.ts'

const mostLetters = 100

/**
 * Whether Baton can take jobs, and how its providers are. Answers 1 when nothing new is accepted, a provider has no worker and work for one, or is out of
 * use, a key or a model is stopped, or a batch is blocked: as for an API that is not there, a person should look.
 */
export const status = (options: SessionOptions & WatchOptions, terminal: CommandIo): Promise<number> =>
  withSession(terminal, options, async session => {
    let well = true
    const code = await watching(session, options, async () => {
      const told = await look(session)
      well = told.well
      return told.text
    })
    return well ? code : 1
  })

const look = async ({
  api,
  json,
  paint,
}: Session): Promise<{ readonly well: boolean; readonly text: string }> => {
  const { refusing } = (await api.ask('GET', '/readyz')) as { refusing?: string }
  const [providers, blocked, { data: letters, has_more }, configs] = await Promise.all([
    readProviders(api),
    readBlockedBatches(api),
    readDeadLetters(api, mostLetters),
    readConfigsTrouble(api),
  ])
  const withoutWorker = providers.filter(({ workers }) => workers.length === 0)
  const [missed, idle] = [withoutWorker.filter(isMissed), withoutWorker.filter(each => !isMissed(each))]
  const unavailable = providers
    .filter(({ state }) => state !== 'healthy' && state !== 'recovering')
    .map(({ name }) => name)
  const stopped = providers.flatMap(({ entries }) => entries.filter(({ state }) => state === 'stopped'))
  // Letters, throttled keys and a reload that is not everywhere are told, and are no reason to wake anybody.
  const troubles = troublesOf({
    providers,
    batches: blocked.map(({ id, blocked: { reason, since = 0 } }) => ({
      ...{ id, blocked: { reason, since: secondsOf(since) }, atRiskSince: null, open: null },
    })),
    deadLetters: letters.length,
    redis: refusing ? { reason: refusing, since: null } : null,
    ...{ blobStore: null, clockOff: null, configs },
  })
  const well = troubles.every(({ code, subject }) => untroubling.has(code) || isModel(code, subject))
  const deadLetters = `${letters.length}${has_more ? ' and more' : ''}`
  if (json) {
    const facts = {
      url: api.url,
      well,
      troubles,
      refusing: refusing ?? null,
      without_worker: withoutWorker.map(({ name }) => name),
      unavailable,
      stopped,
      blocked_batches: blocked,
    }
    return { well, text: renderJson({ ...facts, dead_letters: letters.length, providers }) }
  }
  const bad = (text: string): string => paint('bad', text)
  const lines = [
    refusing
      ? bad(
          `${api.url} takes no new jobs (${refusing}): Redis is nearly full, see \`baton_redis_memory_used_bytes\``,
        )
      : paint('good', `${api.url} takes jobs`),
    describeProviders(providers, paint),
    ...(missed.length > 0 ? [bad(`no worker is running for: ${missed.map(describe).join(', ')}`)] : []),
    ...(idle.length > 0
      ? [`no worker is running, and none is needed now, for: ${idle.map(({ name }) => name).join(', ')}`]
      : []),
    ...(unavailable.length > 0 ? [bad(`unavailable: ${unavailable.join(', ')}`)] : []),
    ...providers.flatMap(awayModels).map(bad),
    ...stopped.map(describeStopped).map(bad),
    ...blocked.map(describeBlocked).map(bad),
    ...(configs === null ? [] : [paint('warn', `processes run on different configs: ${configs.reason}`)]),
    `webhooks given up: ${deadLetters}`,
  ]
  return { well, text: lines.join('\n') }
}

const untroubling: ReadonlySet<Trouble['code']> = new Set(['dead_letters', 'configs'])

/** A message batch has its times in RFC 3339. */
const secondsOf = (time: number | string): number =>
  typeof time === 'string' ? Math.floor(Date.parse(time) / 1_000) : time

/** That one model of several is away is shown on the page, and has other targets as a rule. */
const isModel = (code: Trouble['code'], subject: string | null): boolean =>
  code === 'provider_away' && subject?.includes('/') === true

const isMissed = ({ workers_wanted }: ProviderState): boolean => workers_wanted !== 0

/** `openai (since 2025-12-06 05:46:40; its jobs go on to other targets)`. */
const describe = ({ name, without_worker_since: since }: ProviderState): string =>
  since === null ? name : `${name} (since ${renderTime(since)}; jobs with another target go on there)`

/** Models that are out of use while their provider is not. */
const awayModels = ({ entries }: ProviderState): string[] =>
  entries
    .filter(({ scope, state }) => scope.startsWith('target:') && state === 'down')
    .map(({ scope, reason }) => `unavailable: ${scope.slice('target:'.length)} (${reason})`)

const describeStopped = ({ scope, reason, error }: ProviderState['entries'][number]): string =>
  `stopped: ${scope.replace(':', ' ')} (${reason})${error === undefined ? '' : `: ${error.message}`}`

const describeBlocked = ({ id, blocked }: BlockedBatch): string =>
  `blocked: ${id}, by ${blocked.provider}/${blocked.model} (${blocked.reason}): ${blocked.message}`
