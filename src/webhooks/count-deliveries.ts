import type { DeliverySource } from './deliver-webhook.ts'
import type { Deliveries } from './deliveries.ts'

/** How attempts went, of all sources that are counted. A `failed` one is made again. */
export interface DeliveryCounter {
  of(source: DeliverySource): DeliverySource
  read(): Readonly<Record<'delivered' | 'failed' | 'dead', number>>
}

export const createDeliveryCounter = (): DeliveryCounter => {
  const counts = { delivered: 0, failed: 0, dead: 0 }
  const counted = (deliveries: Deliveries): Deliveries => ({
    ...deliveries,
    recordDelivery: async (id, attemptsBefore, result) => {
      const recorded = await deliveries.recordDelivery(id, attemptsBefore, result)
      if (recorded) counts[result.status === 'pending' ? 'failed' : result.status] += 1
      return recorded
    },
  })
  return {
    of: source => ({ ...source, deliveries: counted(source.deliveries) }),
    read: () => ({ ...counts }),
  }
}
