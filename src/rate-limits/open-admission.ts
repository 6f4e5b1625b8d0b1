import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { type Admission, type AdmissionOptions, createAdmission } from './admission.ts'
import { createProviderLimits, type ProviderLimitsOptions } from './key-model-limits.ts'
import type { LimitStore } from './limit-store.ts'

export type AdmissionDeps = Omit<ProviderLimitsOptions, 'clock' | 'changed' | 'store'> & {
  readonly limitStore: LimitStore
  /** Calls at once in this process. */
  readonly concurrency: number
  readonly hasHealthyAlternative: AdmissionOptions['hasHealthyAlternative']
}

/** A process's way through the limits of one provider's keys. */
export const openAdmission = async (life: Lifecycle, parts: AdmissionDeps): Promise<Admission> => {
  const clock = (): number => performance.now()
  let admission: Admission | null = null
  const limits = createProviderLimits({
    ...parts,
    store: parts.limitStore,
    clock,
    changed: () => admission?.changed(),
  })
  const opened = createAdmission({ ...parts, limits, clock })
  admission = opened
  await life.open(
    `limits ${parts.provider}`,
    () => limits.start(),
    async () => {
      opened.close()
      await limits.stop()
    },
  )
  return opened
}
