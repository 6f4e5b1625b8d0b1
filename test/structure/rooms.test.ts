import { describe, expect, it } from 'vitest'
import { circlesOf, code, files, importsOf, product, specifiersOf } from './tree.ts'

/** What each layer may import, besides itself. Whoever is not listed is an entry point and may build from all. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'src/domain': ['src/json'],
  'src/lifecycle': [],
  // Runs in other people's programs, and knows the API by its description alone.
  'src/client': [],
  'src/clock': ['src/lifecycle', 'src/redis'],
  'src/config': ['src/domain'],
  'src/json': [],
  'src/net': [],
  'src/terminal': [],
  'src/redis': ['src/domain', 'src/lifecycle'],
  'src/telemetry': ['src/domain'],
  'src/jobs': ['src/domain', 'src/json', 'src/redis', 'src/telemetry', 'src/terminal'],
  'src/files': ['src/jobs', 'src/redis'],
  'src/queue': ['src/domain', 'src/jobs', 'src/lifecycle', 'src/redis'],
  'src/health': ['src/domain', 'src/lifecycle', 'src/redis', 'src/telemetry'],
  'src/rate-limits': ['src/domain', 'src/health', 'src/lifecycle', 'src/redis'],
  'src/cache': ['src/config', 'src/domain', 'src/json', 'src/lifecycle', 'src/redis'],
  'src/providers': ['src/config', 'src/domain', 'src/json', 'src/net'],
  'src/streams': ['src/domain', 'src/jobs', 'src/redis'],
  'src/mirror': ['src/config', 'src/domain', 'src/jobs', 'src/json', 'src/redis'],
  'src/dispatch': [
    'src/cache',
    'src/domain',
    'src/health',
    'src/jobs',
    'src/json',
    'src/lifecycle',
    'src/mirror',
    'src/providers',
    'src/queue',
    'src/rate-limits',
    'src/redis',
    'src/streams',
    'src/telemetry',
  ],
  'src/batches': [
    'src/dispatch',
    'src/domain',
    'src/files',
    'src/jobs',
    'src/json',
    'src/lifecycle',
    'src/queue',
    'src/redis',
    'src/telemetry',
  ],
  'src/webhooks': [
    'src/batches',
    'src/domain',
    'src/jobs',
    'src/json',
    'src/lifecycle',
    'src/net',
    'src/queue',
    'src/redis',
    'src/telemetry',
  ],
  // Its own version, for the description of the API.
  'src/api': [
    'src/batches',
    'src/config',
    'src/context',
    'src/dispatch',
    'src/domain',
    'src/files',
    'src/health',
    'src/jobs',
    'src/json',
    'src/lifecycle',
    'src/mirror',
    'src/queue',
    'src/rate-limits',
    'src/redis',
    'src/streams',
    'src/telemetry',
    'src/start-blobs.ts',
    'src/webhooks',
    'package.json',
  ],
  'src/sim': ['src/config', 'src/domain', 'src/lifecycle'],
  // What every role stands on: it opens all rooms, but knows no role. Its own version, for its heartbeat.
  'src/context': [
    'src/batches',
    'src/cache',
    'src/clock',
    'src/config',
    'src/dispatch',
    'src/domain',
    'src/health',
    'src/jobs',
    'src/lifecycle',
    'src/mirror',
    'src/net',
    'src/providers',
    'src/queue',
    'src/rate-limits',
    'src/redis',
    'src/streams',
    'src/telemetry',
    'src/webhooks',
    'package.json',
  ],
}

/** Who may read the environment: entry points. */
const readsEnvironment =
  /^(?:src\/(?:main|cli\/(?:baton|terminal))\.ts$|release\/matrix\.ts$|demo\/|harness\/|bench\/|chaos\/|soak\/|examples\/|test\/)/

const layerOf = (file: string): string => file.split('/').slice(0, 2).join('/')

/** Who may look at the clock of the host, and why. All others are given the time of `src/clock`. */
const looksAtHostsClock: Readonly<Record<string, string>> = {
  'src/clock/clock.ts': 'tells a host whose clock is off',
  'src/redis/dev/start-lock.ts': 'touches a file: others look whether it changes, and not when',
  'src/files/blobs/scratch.ts': 'compares with times of files, which the host wrote',
  'src/files/blobs/s3-blobs.ts': 'tells the SDK how far its clock is off',
  'src/providers/create-provider.ts': 'the default, for commands that have no Redis',
  'src/cli/check-keys.ts': 'has no Redis',
  'src/cli/doctor/redis-findings.ts': 'tells by how much it is off',
  'src/cli/doctor/storage-findings.ts': 'may have no Redis',
  'src/cli/api-client.ts': 'has asked nobody for the time yet',
  'src/client/client-error.ts': 'reads a date of HTTP where clients run, by the clock there',
  'src/client/verify-webhook.ts': 'runs where webhooks are received, by the clock there',
  'src/sim/sim-provider.ts': 'stands for a vendor, with a clock of its own',
  'src/sim/webhook-receiver.ts': 'stands for a receiver, with a clock of its own',
}

describe('the rooms of the source', () => {
  it('reads the tree', () => {
    expect(files.length).toBeGreaterThan(100)
    expect(importsOf('src/context/foundation.ts')).toContain('src/redis/keys.ts')
  })

  it('imports point one way', () => {
    const wrong = files.flatMap(file =>
      importsOf(file)
        .filter(target => {
          const [from, to] = [layerOf(file), layerOf(target)]
          const edges = allowed[from]
          return edges !== undefined && from !== to && !edges.includes(to)
        })
        .map(target => `${file} -> ${target}`),
    )
    expect(wrong).toEqual([])
  })

  it('every edge of the table is used, so that it tells the truth', () => {
    const used = new Set(
      files.flatMap(file => importsOf(file).map(target => `${layerOf(file)} -> ${layerOf(target)}`)),
    )
    const edges = Object.entries(allowed).flatMap(([from, targets]) => targets.map(to => `${from} -> ${to}`))
    expect(edges.filter(edge => !used.has(edge))).toEqual([])
  })

  it('the table has no circle', () => {
    expect(circlesOf(Object.keys(allowed), room => allowed[room] ?? [])).toEqual([])
  })

  it('the domain imports nothing at all', () => {
    const foreign = files
      .filter(file => layerOf(file) === 'src/domain')
      .flatMap(file =>
        specifiersOf(file)
          .filter(name => !name.startsWith('.'))
          .map(name => `${file}: ${name}`),
      )
    expect(foreign).toEqual([])
  })

  it('the domain asks for no time and no chance of its own', () => {
    const impure = files.filter(
      file =>
        layerOf(file) === 'src/domain' &&
        /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\b/.test(code.get(file)!),
    )
    expect(impure).toEqual([])
  })

  it('whoever compares times, or writes them down for others, is given the one clock', () => {
    const lookers = product.filter(file => /\bDate\.now\b|\bnew Date\(\)/.test(code.get(file)!))
    expect(lookers.toSorted()).toEqual(Object.keys(looksAtHostsClock).toSorted())
  })

  it('only entry points read the environment', () => {
    const readers = files.filter(
      file => code.get(file)!.includes('process.env') && !readsEnvironment.test(file),
    )
    expect(readers).toEqual([])
  })

  it('the client asks for nothing that only Node has', () => {
    const foreign = files
      .filter(file => layerOf(file) === 'src/client')
      .flatMap(file => specifiersOf(file).map(name => [file, name]))
      .filter(([, name]) => !name!.startsWith('./'))
    expect(foreign).toEqual([])
  })

  it('no text becomes code', () => {
    const evil = /(?<![.\w])eval\(|\bnew Function\(|'node:vm'/
    expect(
      files.filter(file => file !== 'test/structure/rooms.test.ts' && evil.test(code.get(file)!)),
    ).toEqual([])
  })
})
