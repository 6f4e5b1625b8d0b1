import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { type Admission, type AdmissionOptions, createAdmission } from './admission.ts'
import { createLanes, type LanesOptions } from './key-model-limits.ts'
import type { LimitStore } from './limit-store.ts'

export type AdmissionParts = Omit<LanesOptions, 'clock' | 'changed' | 'store'> & {
  readonly limitStore: LimitStore
  /** Calls at once in this process. */
  readonly concurrency: number
  readonly goesElsewhere: AdmissionOptions['goesElsewhere']
}

/** A process's way through the limits of one provider's keys. */
export const openAdmission = async (life: Lifecycle, parts: AdmissionParts): Promise<Admission> => {
  const clock = (): number => performance.now()
  let admission: Admission | null = null
  const lanes = createLanes({
    ...parts,
    store: parts.limitStore,
    clock,
    changed: () => admission?.changed(),
  })
  const opened = createAdmission({ ...parts, lanes, clock })
  admission = opened
  await life.open(
    `limits ${parts.provider}`,
    () => lanes.start(),
    async () => {
      opened.close()
      await lanes.stop()
    },
  )
  return opened
}
