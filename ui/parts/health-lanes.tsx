import type { ProviderView } from '../../src/api/operator/provider-view.ts'
import { clock } from '../format.ts'
import { providers } from '../store.ts'
import { lookOf } from './state.tsx'

export interface Spell {
  readonly from: number
  readonly to: number
  readonly state: string
  readonly reason: string | null
}

type Change = ProviderView['events'][number]

/** How a target was from one change to the next, as far as its provider's latest changes reach; well spells are left out. */
export const spellsOf = (
  events: readonly Change[],
  model: string,
  from: number,
  to: number,
): readonly Spell[] => {
  const spells = [null, model].flatMap(scope => {
    const own = events.filter(event => event.model === scope).toSorted((a, b) => a.at - b.at)
    return own.map(
      ({ at, state, reason }, i): Spell => ({ from: at, to: own[i + 1]?.at ?? to, state, reason }),
    )
  })
  return spells
    .filter(
      spell => spell.state !== 'healthy' && spell.from <= to && spell.to >= from && spell.to > spell.from,
    )
    .map(spell => ({ ...spell, from: Math.max(from, spell.from), to: Math.min(to, spell.to) }))
}

/** How the target of a lane was meanwhile, behind what a job did there. */
export const HealthLane = (props: {
  readonly target: string
  readonly from: number
  readonly to: number
  readonly place: (time: number) => number
  readonly y: number
}) => {
  const { target, from, to, place, y } = props
  const [name, model] = [target.slice(0, target.indexOf('/')), target.slice(target.indexOf('/') + 1)]
  const events = providers.value?.find(provider => provider.name === name)?.events ?? []
  return (
    <>
      {spellsOf(events, model, from, to).map(spell => {
        const { word, tone } = lookOf(spell.state)
        const [left, right] = [place(spell.from), place(spell.to)]
        const why = spell.reason === null ? '' : ` (${spell.reason})`
        return (
          <rect
            key={`${spell.from} ${spell.state}`}
            class={`health ${tone}`}
            x={`${(left * 100).toFixed(2)}%`}
            width={`${(Math.max(right - left, 0.002) * 100).toFixed(2)}%`}
            y={y}
            height={20}
          >
            <title>{`${target} was ${word}${why} from ${clock(spell.from)} to ${clock(spell.to)}`}</title>
          </rect>
        )
      })}
    </>
  )
}
