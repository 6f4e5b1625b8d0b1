import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Logger } from 'pino'
import { type ApiClient, createApiClient } from '../src/cli/api-client.ts'
import { type BatchClient, createBatchClient } from '../src/cli/batch-client.ts'
import type { Lifecycle } from '../src/lifecycle/lifecycle.ts'
import type { Screen } from '../src/terminal/screen.ts'
import { auditDeliveries, auditJobs } from './audit.ts'
import { auditBatch } from './audit-batch.ts'
import { openBaton } from './baton.ts'
import { createJobClient, submitAll, untilReady } from './client.ts'
import type { Logbook } from './logbook.ts'
import { changeText, introduction, type Load, phaseText, verdictOf } from './narration.ts'
import type { Phase } from './primary.ts'
import { watchDemo } from './progress.ts'
import { openSimulatedServices, type SimulatedServices } from './simulated-services.ts'
import { renderSummary } from './summary.ts'
import { batchFile } from './workload.ts'

const inputFile = '.baton/demo.jsonl'
const outputFile = '.baton/demo_output.jsonl'
/** Many times what a run takes; what is missing then will not come. */
const patienceMs = 240_000

/** What a run is given. */
export interface DemoSettings {
  readonly load: Load
  readonly screen: Screen
  readonly log: Logger
  readonly logFile: string
  readonly logbook: Logbook
  /** A Redis that runs already; a private one is started when absent. */
  readonly redisUrl: string | undefined
  readonly signal: AbortSignal
}

/** Runs the whole demo. True when every line and job has its one result, and the webhooks came. */
export const runDemo = async (life: Lifecycle, settings: DemoSettings): Promise<boolean> => {
  const { load, screen, log, logFile, logbook, redisUrl, signal } = settings
  screen.say(introduction(load, logFile))
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const services = await openSimulatedServices(life, secret)
  const url = await openBaton(life, { services, secret, redisUrl, log })
  const api = createApiClient({ url, key: null }, signal)
  await untilReady(api, signal)

  const startedAt = performance.now()
  const batches = createBatchClient(api, signal)
  const batchId = await submitBatch(batches, services, load)
  screen.say(`Baton serves on ${url}. ${inputFile} went to /v1/files, and is ${batchId} now.\n`)
  const { ids, jobs, batch } = await watchAll(settings, services, api, batches, batchId)
  const elapsedMs = performance.now() - startedAt
  const output = await outputOf(api, batchId)

  const { deliveries } = services.receiver
  const faults = [
    ...auditBatch({ lines: load.lines, batch, output }, deliveries),
    ...auditJobs({ ids, jobs }, deliveries),
    ...auditDeliveries(deliveries, new Set([batchId, ...ids])),
  ]
  const summary = renderSummary({ batch, jobs, deliveries, logbook, elapsedMs })
  screen.say(`\n${summary}\n\nThe output is in ${outputFile}.\n${verdictOf(faults, load, logFile)}`)
  return faults.length === 0
}

/** As any client would: the file, then the batch of it. */
const submitBatch = async (
  batches: BatchClient,
  { receiver }: SimulatedServices,
  { lines }: Load,
): Promise<string> => {
  const text = batchFile(lines)
  await mkdir(dirname(inputFile), { recursive: true })
  await writeFile(inputFile, text)
  const fileId = await batches.upload(inputFile, new Blob([text]))
  const { id } = await batches.create({
    input_file_id: fileId,
    endpoint: '/v1/chat/completions',
    completion_window: '1h',
    webhook: { url: receiver.url },
  })
  return id
}

/** Submits the single jobs while the batch runs, and waits for both. */
const watchAll = async (
  settings: DemoSettings,
  services: SimulatedServices,
  api: ApiClient,
  batches: BatchClient,
  batchId: string,
) => {
  const { load, screen, logbook, signal } = settings
  const { primary, receiver } = services
  const client = createJobClient(api, receiver.url)
  let told = 0
  let isHandoverTold = false
  let toldPhase: Phase | null = null
  const tell = (): void => {
    if (toldPhase !== primary.phase) {
      toldPhase = primary.phase
      screen.say(phaseText(toldPhase))
    }
    if (!isHandoverTold && logbook.handovers.size > 0) {
      screen.say('> The first job was handed over.')
      isHandoverTold = true
    }
    for (; told < logbook.changes.length; told += 1) screen.say(changeText(logbook.changes[told]!))
  }
  const look = () => {
    primary.advance(services.answered() / (load.lines + load.jobs))
    tell()
    return {
      isReturning: logbook.changes.at(-1)?.state === 'recovering',
      phase: primary.phase,
      parked: logbook.parked.size,
      webhooks: receiver.events.length,
      webhooksDue: load.jobs + 1,
    }
  }
  const [ids, batch] = await Promise.all([
    submitAll(client, load.jobs, signal),
    watchDemo(batches, batchId, look, screen.show, { ms: patienceMs, signal }),
  ])
  screen.finish()
  return { ids, batch, jobs: await Promise.all(ids.map(client.read)) }
}

/** What is there, also of a batch that has not ended: then the audit says what is missing. */
const outputOf = async (api: ApiClient, batchId: string): Promise<string> => {
  const output = await (await api.send('GET', `/v1/batches/${batchId}/content`)).text()
  await writeFile(outputFile, output)
  return output
}
