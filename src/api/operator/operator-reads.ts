import type { BatchRecord } from '../../batches/record.ts'
import type { OperatorAction } from '../../health/operator-log.ts'
import { configsApart } from '../../health/running-configs.ts'
import { type BatchStanding, type Trouble, troublesOf } from '../../health/troubles.ts'
import { wholeSeconds } from '../../jobs/view.ts'
import type { ApiParts } from '../parts.ts'
import { createBlobWatch } from './blob-watch.ts'
import { type CostToday, createCostToday } from './cost-today.ts'
import { actionView } from './note-actions.ts'
import { createPageFigures, type PageFigures } from './page-figures.ts'
import type { ProviderView } from './provider-view.ts'
import { createProviderViews, type ProviderViews } from './provider-views.ts'
import type { AtRisk, OverviewView } from './views.ts'

type ReadParts = Parameters<typeof createPageFigures>[0] &
  Parameters<typeof createProviderViews>[0] &
  Parameters<typeof createCostToday>[0] &
  Pick<ApiParts, 'batches' | 'blobs' | 'deadLetters' | 'memory' | 'operatorLog'>

const shownActions = 12
const shownAtRisk = 20

/** One read of all that changes. */
export interface OperatorRead {
  readonly figures: PageFigures
  readonly overview: OverviewView
  readonly providers: readonly ProviderView[]
  /** Those that have not ended. */
  readonly openBatches: readonly BatchRecord[]
}

/** What routes for operators read. They share it, as rates are known only to who has looked before. */
export interface OperatorReads {
  readonly figures: () => Promise<PageFigures>
  readonly providers: ProviderViews
  /** Rejects while Redis is away. */
  readonly all: () => Promise<OperatorRead>
}

export const createOperatorReads = (parts: ReadParts): OperatorReads => {
  const figures = createPageFigures(parts)
  const providers = createProviderViews(parts)
  const costToday = createCostToday(parts)
  const blobTrouble = createBlobWatch(parts.blobs, parts.now)
  return {
    figures,
    providers,
    all: async () => {
      const [read, batches, deadLetters, actions, cost] = await Promise.all([
        figures(),
        parts.batches.listOpen(),
        parts.deadLetters.size(),
        parts.operatorLog.newest(shownActions),
        costToday(),
      ])
      const views = await providers.read(read)
      const troubles = troublesOf({
        providers: views,
        batches: batches.map(standingOf),
        deadLetters,
        redis: parts.memory.isFull() ? { reason: 'nearly_full', since: null } : null,
        blobStore: blobTrouble(),
        clockOff: clockOff(read.processes),
        configs: configsTrouble(read.processes, parts.now()),
      })
      const overview = { ...overviewOf(read, troubles, batches, actions), ...cost }
      return { figures: read, providers: views, overview, openBatches: batches }
    },
  }
}

const overviewOf = (
  { tick, drainAt }: PageFigures,
  troubles: readonly Trouble[],
  batches: readonly BatchRecord[],
  actions: readonly OperatorAction[],
): Omit<OverviewView, keyof CostToday> => ({
  ...tick,
  troubles,
  estimated_drain_at: drainAt,
  at_risk: batches
    .flatMap(atRisk)
    .toSorted((a, b) => (a.slack ?? 0) - (b.slack ?? 0))
    .slice(0, shownAtRisk),
  actions: actions.map(actionView),
})

const standingOf = ({ id, blocked, warning, total, collected }: BatchRecord): BatchStanding => ({
  id,
  blocked: blocked && { reason: blocked.reason, since: wholeSeconds(blocked.sinceMs) },
  atRiskSince: warning && wholeSeconds(warning.sinceMs),
  open: total === null ? null : total - collected,
})

/** The least to spare first: what is late already has a negative slack. */
const atRisk = ({ id, blocked, warning, estimateMs, expiresAtMs }: BatchRecord): AtRisk[] =>
  warning === null
    ? []
    : [
        {
          subject: id,
          slack: wholeSeconds(expiresAtMs - (estimateMs ?? warning.estimateMs)),
          cause: blocked?.reason ?? warning.code,
        },
      ]

const configsTrouble = (
  processes: PageFigures['processes'],
  nowMs: number,
): { readonly reason: string; readonly since: number } | null => {
  const apart = configsApart(processes, nowMs)
  return apart && { reason: apart.reason, since: wholeSeconds(apart.sinceMs) }
}

/** From here on a process says so in its log as well. */
const tooFarOffMs = 5_000

/** Of the host whose clock is furthest off, in whole seconds; null while all are near enough. */
const clockOff = (processes: PageFigures['processes']): number | null => {
  const offs = processes.map(({ hostOffMs = 0 }) => hostOffMs)
  const most = offs.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0)
  return Math.abs(most) < tooFarOffMs ? null : Math.round(most / 1_000)
}
