import { type Api, bodyOf } from '../../harness/api.ts'
import { residentBytes } from '../../harness/signals.ts'
import type { BatchView } from '../../src/batches/view.ts'
import type { JobView } from '../../src/jobs/view.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { BatchEntry, Ledger } from '../load/ledger.ts'
import type { TenantApi } from '../load/tenant-api.ts'
import { providers } from '../plan/routes.ts'
import { tenants } from '../plan/tenants.ts'
import type { Call, EndedBatch, Evidence } from './evidence.ts'

/** What the API answers of everything that it accepted, and what the world outside has counted. */
export const collect = async (
  cluster: Cluster,
  api: TenantApi,
  ledger: Ledger,
): Promise<
  Pick<Evidence, 'jobs' | 'listed' | 'batches' | 'deliveries' | 'deadLetters' | 'calls' | 'residentBytes'>
> => {
  const ids = ledger.jobs.flatMap(({ id }) => (id === null ? [] : [id]))
  const jobs = await readAll(ids, async id => {
    const answer = await api.ask(`/v1/jobs/${id}`)
    return answer.status === 404 ? null : bodyOf<JobView>(answer)
  })
  const accepted = ledger.batches.filter(entry => entry.id !== null)
  const batches = await readAll(
    accepted.map(({ id }) => id!),
    id => readBatch(api, accepted.find(entry => entry.id === id)!),
  )
  return {
    jobs,
    listed: (await Promise.all(tenants.map(tenant => listJobs(api.of(tenant))))).flat(),
    batches,
    deliveries: cluster.receivers.deliveries,
    deadLetters: new Set(
      (await Promise.all(tenants.map(tenant => listDeadLetters(api.of(tenant))))).flatMap(ids => [...ids]),
    ),
    calls: await readCalls(cluster),
    residentBytes: await residentBytesOf(cluster),
  }
}

const together = 16

/** By id; what answers null is left out. */
const readAll = async <T>(
  ids: readonly string[],
  read: (id: string) => Promise<T | null>,
): Promise<Map<string, T>> => {
  const found = new Map<string, T>()
  const left = [...ids]
  const worker = async (): Promise<void> => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const value = await read(id)
      if (value !== null) found.set(id, value)
    }
  }
  await Promise.all(Array.from({ length: together }, worker))
  return found
}

const readBatch = async (api: Api, { id }: BatchEntry): Promise<EndedBatch | null> => {
  const answer = await api.ask(`/v1/batches/${id}`)
  if (answer.status === 404) return null
  const view = bodyOf<BatchView>(answer)
  const content = async (fileId: string | null): Promise<string> =>
    fileId === null ? '' : (await api.ask(`/v1/files/${fileId}/content`)).text
  return { view, output: await content(view.output_file_id), errors: await content(view.error_file_id) }
}

interface Page<T> {
  readonly data: readonly T[]
  readonly next_cursor?: string | null
}

const listJobs = async (api: Api): Promise<string[]> => {
  const ids: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page<{ id: string }> = bodyOf(await api.ask(`/v1/jobs?limit=100${cursor}`))
    ids.push(...page.data.map(({ id }) => id))
    cursor = page.next_cursor ? `&cursor=${page.next_cursor}` : null
  }
  return ids
}

const listDeadLetters = async (api: Api): Promise<ReadonlySet<string>> => {
  const ids = new Set<string>()
  let after: string | null = ''
  while (after !== null) {
    const page: Page<{ job_id?: string; batch_id?: string }> = bodyOf(
      await api.ask(`/v1/dead-letters?limit=100${after}`),
    )
    for (const { job_id, batch_id } of page.data) ids.add(job_id ?? batch_id ?? '')
    after = page.next_cursor ? `&after=${page.next_cursor}` : null
  }
  return ids
}

const readCalls = async ({ sims }: Cluster): Promise<Call[]> => {
  const journals = await Promise.all(
    providers.map(async provider => (await sims[provider].journal()).map(call => ({ ...call, provider }))),
  )
  return journals.flat().toSorted((a, b) => a.startedAtMs - b.startedAtMs)
}

const residentBytesOf = async ({ processes }: Cluster): Promise<ReadonlyMap<string, number>> => {
  const byPid = await residentBytes([...processes.values()].map(({ pid }) => pid))
  return new Map([...processes].map(([name, { pid }]) => [name, byPid.get(pid) ?? 0]))
}
