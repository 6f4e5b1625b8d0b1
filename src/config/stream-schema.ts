import { z } from 'zod'
import { duration, durationFrom } from './durations.ts'
import { numeric } from './schema-values.ts'

/** Answers that are streamed. */
export const stream = z.strictObject({
  /** A connection that has had nothing for so long gets a comment, so that no proxy takes it for dead. */
  keepalive: durationFrom('1s').prefault('10s'),
  /** A call goes on for so long after its last reader has left. */
  grace: duration.prefault('5s'),
  /** The most that a log holds; a reader that falls behind further cannot catch up. */
  max_log_bytes: numeric(z.int().min(64 * 1024)).default(4 * 1024 * 1024),
})
