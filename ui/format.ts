import { computed } from '@preact/signals'
import { session, showsUtc } from './store.ts'

const unknown = '—'

// To make a format takes a hundred times what it takes to use one.
const whole = new Intl.NumberFormat('en')
const small = new Intl.NumberFormat('en', { minimumSignificantDigits: 2, maximumSignificantDigits: 2 })
const cents = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })

export const count = (value: number | null | undefined): string =>
  value === null || value === undefined ? unknown : whole.format(Math.round(value))

export const rate = (value: number | null | undefined): string =>
  value === null || value === undefined ? unknown : `${value < 10 ? value.toFixed(1) : count(value)}/s`

export const dollars = (value: number | null | undefined, unpriced = 0): string => {
  const more = unpriced > 0 ? ` + ${count(unpriced)} unpriced` : ''
  if (value === null || value === undefined) return unknown + more
  const text = value !== 0 && value < 0.01 ? small.format(value) : cents.format(value)
  return `$${text}${more}`
}

export const millis = (value: number | null | undefined): string => {
  if (value === null || value === undefined) return unknown
  return value < 1_000 ? `${Math.round(value)} ms` : `${(value / 1_000).toFixed(1)} s`
}

export const percent = (value: number | null | undefined): string =>
  value === null || value === undefined ? unknown : `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`

/** `3 min 10 s`, as the commands say it. */
export const span = (seconds: number | null | undefined): string => {
  if (seconds === null || seconds === undefined) return unknown
  const s = Math.max(0, Math.round(seconds))
  if (s < 60) return `${s} s`
  if (s < 3_600) return s % 60 === 0 ? `${s / 60} min` : `${Math.floor(s / 60)} min ${s % 60} s`
  if (s < 86_400) return `${Math.floor(s / 3_600)} h ${Math.floor((s % 3_600) / 60)} min`
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3_600)} h`
}

/** Of the config, unless the reader wants UTC. */
export const zone = (): string => (showsUtc.value ? 'UTC' : (session.value?.time_zone ?? 'UTC'))

const times = computed(() => {
  const timeZone = zone()
  const of = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-GB', { timeZone, ...options })
  const minute = { hour: '2-digit', minute: '2-digit' } as const
  const second = { ...minute, second: '2-digit' } as const
  const day = { day: '2-digit', month: 'short' } as const
  return {
    clock: of(second),
    date: of({ ...day, ...minute }),
    full: of({ year: 'numeric', ...day, ...second }),
  }
})

export const clock = (at: number): string => times.value.clock.format(at * 1_000)

export const date = (at: number): string => times.value.date.format(at * 1_000)

export const full = (at: number): string => `${times.value.full.format(at * 1_000)} ${zone()}`
