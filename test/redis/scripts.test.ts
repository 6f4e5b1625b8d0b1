import { globSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { batchScripts } from '../../src/batches/scripts.ts'
import { cacheScripts } from '../../src/cache/answer-cache.ts'
import { timeScript } from '../../src/clock/clock.ts'
import { fileScripts, quotaScripts, uploadScripts } from '../../src/files/scripts.ts'
import { answeredScript } from '../../src/health/answered-models.ts'
import { circuitScripts } from '../../src/health/circuit-store.ts'
import { cooldownScripts } from '../../src/health/cooldowns.ts'
import { jobScripts } from '../../src/jobs/scripts.ts'
import { mirrorScripts } from '../../src/mirror/mirror-store.ts'
import { readyScripts } from '../../src/queue/ready-list.ts'
import { limitScripts } from '../../src/rate-limits/limit-store.ts'
import type { Script } from '../../src/redis/scripts.ts'
import { streamScripts } from '../../src/streams/scripts.ts'
import { deliveryScripts } from '../../src/webhooks/scripts.ts'

const declared: readonly Script[] = [
  jobScripts,
  deliveryScripts,
  batchScripts,
  fileScripts,
  uploadScripts,
  quotaScripts,
  cacheScripts,
  circuitScripts,
  cooldownScripts,
  limitScripts,
  mirrorScripts,
  readyScripts,
  streamScripts,
  { timeScript, answeredScript },
].flatMap(scripts => Object.values(scripts))

/** Files that are put before others, and scripts that share the file of another. */
const preludes = [
  ...['jobs/prelude', 'jobs/pairs', 'jobs/entry-filter', 'cache/prelude', 'health/circuit', 'queue/prelude'],
  ...['rate-limits/window', 'rate-limits/ceiling', 'rate-limits/episodes', 'rate-limits/rate'],
]
const variants = ['batches/pass']

const src = join(import.meta.dirname, '../../src')
const files = globSync('*/lua/*.lua', { cwd: src }).map(
  file => `${dirname(dirname(file))}/${basename(file, '.lua')}`,
)

describe('the scripts', () => {
  it('are each declared once, as a script or as a prelude', () => {
    const names = declared.map(({ name }) => name)
    expect([...names, ...preludes].toSorted()).toEqual([...files, ...variants].toSorted())
  })

  it('that are refused while Redis is full are those that make something new', () => {
    const refused = declared.filter(({ whenFull }) => whenFull === 'refused').map(({ name }) => name)
    expect(refused.toSorted()).toEqual([
      'batches/create',
      'batches/feed',
      'cache/put',
      'clock/time',
      'files/file-reserve',
      'files/upload-create',
      'jobs/create',
      'mirror/create',
      'mirror/reserve',
    ])
  })

  it('that replicas confirm are those whose work a client is told of', () => {
    const confirmed = declared.filter(({ confirmed }) => confirmed).map(({ name }) => name)
    expect(confirmed.toSorted()).toEqual([
      'batches/create',
      'files/file-create',
      'files/upload-complete',
      'files/upload-create',
      'files/upload-part',
      'jobs/create',
    ])
  })

  it.each(declared.map(script => [script.name, script] as const))('%s says what it takes', (_, script) => {
    const header = script.text()
    expect(header).toMatch(/-- .*KEYS/)
    expect(script.keys).toBeGreaterThan(0)
  })
})
