import { globSync, readFileSync } from 'node:fs'
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

const variants = ['batches/pass']

const src = join(import.meta.dirname, '../../src')
const files = globSync('*/lua/*.lua', { cwd: src }).map(
  file => `${dirname(dirname(file))}/${basename(file, '.lua')}`,
)

/** Lua without comments and texts. */
const codeOf = (name: string): string =>
  readFileSync(join(src, `${name.replace('/', '/lua/')}.lua`), 'utf8')
    .replaceAll(/--.*$/gm, '')
    .replaceAll(/'[^'\n]*'/g, "''")

/** What a file says that it stands on. */
const standsOn = (name: string): readonly string[] => {
  const text = readFileSync(join(src, `${name.replace('/', '/lua/')}.lua`), 'utf8')
  return /^-- With: (.+)\n/.exec(text)?.[1]?.split(', ') ?? []
}

const wordsIn = (code: string, pattern: RegExp): string[] =>
  [...code.matchAll(pattern)].flatMap(([, words = '']) => words.split(/,\s*/)).filter(word => word !== '')

/** What a file gives to those that stand on it. */
const givenBy = (name: string): readonly string[] =>
  wordsIn(codeOf(name), /^local (?:function )?(\w+(?:, \w+)*)/gm)

/** What it asks for, and gives itself nowhere. */
const askedBy = (name: string): ReadonlySet<string> => {
  const code = codeOf(name)
  const own = new Set(
    [
      /local (?:function )?(\w+(?:, \w+)*)/g,
      /function *\w*\(([^)]*)\)/g,
      /for (\w+(?:, \w+)*) (?:=|in)/g,
    ].flatMap(pattern => wordsIn(code, pattern)),
  )
  return new Set(wordsIn(code, /(?<![.:\w])([A-Za-z_]\w*)/g).filter(word => !own.has(word)))
}

const stoodOn = [...new Set(files.flatMap(standsOn))]

describe('the scripts', () => {
  it('are each declared once, as a script or as what others stand on', () => {
    const names = declared.map(({ name }) => name)
    expect([...names, ...stoodOn].toSorted()).toEqual([...files, ...variants].toSorted())
  })

  it.each(files)('%s stands on the files of which it uses something, and on no other', name => {
    const asked = askedBy(name)
    const used = stoodOn.filter(other => givenBy(other).some(word => asked.has(word)))
    // Rooms have words of their own: one that another room gives as well is that of a file that is named.
    const given = new Set(standsOn(name).flatMap(givenBy))
    const needed = used.filter(
      other =>
        standsOn(name).includes(other) || givenBy(other).some(word => asked.has(word) && !given.has(word)),
    )
    expect(needed.toSorted()).toEqual(standsOn(name).toSorted())
  })

  it('have what they stand on before them, once', () => {
    for (const script of declared) {
      const own = script.name.replace(/^batches\/pass$/, 'batches/feed').replace(/-known$/, '')
      if (!files.includes(own)) continue
      const names = wordsIn(script.text(), /^local function (\w+)/gm)
      expect(names, script.name).toEqual([...new Set(names)])
    }
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
