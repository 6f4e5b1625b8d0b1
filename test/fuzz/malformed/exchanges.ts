import { bodyFaults, type Fault } from './body-faults.ts'
import { type Chance, createChance } from './chance.ts'
import { bytesOf, type Draft, type Exchange } from './draft.ts'
import { headerFaults, pathFaults, queryFaults } from './head-faults.ts'
import type { createRequests } from './requests.ts'
import { wireFaults } from './wire-faults.ts'

/** As often as each kind is drawn; bodies have the most to get wrong. */
const kinds = [bodyFaults, bodyFaults, bodyFaults, headerFaults, headerFaults, pathFaults, queryFaults]

/** After these the server may see the request's end elsewhere, or take the connection for something else. */
const blurring = /^(transfer-encoding|connection|expect|upgrade|te|content-length) |version|twice/

const drawFault = (chance: Chance): [name: string, fault: Fault] =>
  chance.pick(Object.entries(chance.pick(kinds)))

/** The exchange that a seed and a number determine, whatever came before it. */
export const createExchanges = (requests: ReturnType<typeof createRequests>, seed: number) => {
  const drawDraft = (index: number, chance: Chance): { draft: Draft; faults: string[] } => {
    const draft = requests.draw(index, chance)
    const faults: string[] = []
    for (let count = chance.pick([0, 1, 1, 1, 1, 1, 1, 2, 2, 3]); count > 0; count--) {
      const [name, fault] = drawFault(chance)
      fault(draft, chance)
      faults.push(name)
    }
    return { draft, faults }
  }

  return (index: number): Exchange => {
    const chance = createChance(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b))
    if (chance.hit(0.2)) {
      const [fault, write] = chance.pick(Object.entries(wireFaults))
      const draft = requests.draw(index, chance)
      return { fault, drafts: [draft], isCertain: false, ...write(draft, chance) }
    }
    const count = chance.hit(0.06) ? 2 + chance.whole(4) : 1
    const drawn = Array.from({ length: count }, (_, i) => drawDraft(index + i * 7, chance))
    const faults = drawn.flatMap(one => one.faults)
    const isCertain = !faults.some(name => blurring.test(name))
    return {
      fault: faults.join(' + ') || 'none',
      bytes: Buffer.concat(drawn.map(({ draft }) => bytesOf(draft))),
      ending: isCertain ? 'wait' : 'end',
      drafts: drawn.map(({ draft }) => draft),
      isCertain,
    }
  }
}
