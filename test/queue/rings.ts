import type { Place } from '../../src/domain/place.ts'
import type { AddressedDoorbell } from '../../src/queue/doorbells.ts'

let rung = 0

/** A doorbell in a queue; each is due after the one before, unless the test says otherwise. */
export const ringOf = (queue: string, doorbell: string, place: Partial<Place> = {}): AddressedDoorbell => ({
  queue,
  doorbell,
  place: { tenant: 'default', class: 'default', dueMs: rung++, tokens: 1, ...place },
})
