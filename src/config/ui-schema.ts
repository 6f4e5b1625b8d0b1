import { z } from 'zod'
import { durationFrom } from './durations.ts'
import { flag, positiveInt } from './schema-values.ts'

const isTimeZone = (name: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** The page for operators, served by the API at `/ui`. */
export const ui = z.strictObject({
  enabled: flag.default(false),
  /** Prompts and answers, too, for operators. */
  show_content: flag.default(false),
  /** How long a browser stays signed in. */
  session: durationFrom('1m').prefault('12h'),
  time_zone: z
    .string()
    .refine(isTimeZone, 'expected a time zone such as UTC or Europe/Berlin')
    .default('UTC'),
  /** Pages open at a time that one process tells what changes. */
  max_streams: positiveInt.default(100),
})
