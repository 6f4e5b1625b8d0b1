import type { Child } from '../../harness/child.ts'
import type { TestEnvironment } from '../../harness/environment.ts'
import { until } from '../../harness/until.ts'
import type { Contender } from './compare.ts'
import { compactFile } from './queue-state.ts'

export interface Drain {
  /** They are let loose together, and stand still before and after. */
  readonly workers: readonly Child[]
  /** Resolves when all of the work waits. */
  load(count: number): Promise<void>
  /** Whether none of the work is left. */
  isDone(): Promise<boolean>
  /** Checks what was done, outside the measured time. */
  check?(): Promise<void>
}

/** Work that all waits before the workers may begin. */
export const draining = (
  environment: TestEnvironment,
  { workers, load, isDone, check }: Drain,
): Contender => {
  const freeze = () => {
    for (const worker of workers) worker.freeze()
  }
  freeze()
  return {
    pids: { process: workers.map(worker => worker.pid), redis: environment.redisPid },
    prepare: async count => {
      await load(count)
      await compactFile(environment.redis)
    },
    work: async () => {
      for (const worker of workers) worker.thaw()
      await until(isDone)
    },
    rest: async () => {
      freeze()
      await check?.()
    },
  }
}
