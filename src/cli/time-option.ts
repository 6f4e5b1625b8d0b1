import { duration } from '../config/durations.ts'
import { CommandLineError } from './command-io.ts'

/** A day, or a time in ISO 8601, as Unix seconds; of UTC where it names no zone. Throws `CommandLineError`. */
export const secondsOf = (option: string, text: string): string => {
  const isZoned = /^\d{4}-\d{2}-\d{2}$|(?:Z|[+-]\d{2}:\d{2})$/.test(text)
  const ms = Date.parse(isZoned ? text : `${text}Z`)
  if (Number.isNaN(ms)) throw new CommandLineError(`${option} must be a day or a time, as 2025-12-01T12:00Z.`)
  return String(Math.floor(ms / 1_000))
}

/** The same, or how long ago: `90m` as the time an hour and a half before `nowMs`. Throws `CommandLineError`. */
export const secondsOrAgo = (option: string, text: string, nowMs: number): string => {
  const ago = duration.safeParse(text)
  return ago.success ? String(Math.max(0, Math.floor((nowMs - ago.data) / 1_000))) : secondsOf(option, text)
}
