import { zone } from './format.ts'

/** What a clock of the page's zone shows at that moment, as if it were UTC: Unix seconds. */
const wallOf = (at: number): number => {
  const parts = new Intl.DateTimeFormat('en-CA', {
    ...{ timeZone: zone(), hourCycle: 'h23' },
    ...{
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    },
  }).formatToParts(at * 1_000)
  const of = (type: string): number => Number(parts.find(part => part.type === type)?.value)
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second')) / 1_000
}

/** When a clock of the page's zone shows this, in Unix seconds. */
const momentOf = (wall: number): number => {
  // Around a change of the clock the first guess has the offset of the other side.
  const guess = wall - (wallOf(wall) - wall)
  return wall - (wallOf(guess) - guess)
}

/** The latest that the API takes. */
const lastMoment = 1e11

/** `2026-11-29T03:12`, as fields of forms have it; '' of what is no moment. An address may have anything. */
export const toField = (at: number): string =>
  at >= 0 && at <= lastMoment ? new Date(wallOf(at) * 1_000).toISOString().slice(0, 16) : ''

/** Unix seconds of what such a field, or a day alone, says; null where it is empty. */
export const fromField = (text: string): number | null => {
  const wall = Date.parse(text.length === 10 ? `${text}T00:00Z` : `${text}Z`) / 1_000
  return Number.isNaN(wall) ? null : momentOf(wall)
}

/** `2026-11-29` in the page's zone, so many days later. */
export const dayOf = (at: number, later = 0): string =>
  new Date((wallOf(at) + later * 86_400) * 1_000).toISOString().slice(0, 10)
