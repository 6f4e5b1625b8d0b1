import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { batchStatuses, endedBatchStatuses } from '../../src/batches/record.ts'
import { jobStatuses, terminalStatuses } from '../../src/domain/job.ts'
import { headFields, jobFields } from '../../src/jobs/codec.ts'
import type { NewJob } from '../../src/jobs/types.ts'
import { keyPatternsOf, normalKey } from './key-patterns.ts'
import { blocksOf, readDoc, root, tableAfter, uncode } from './markdown.ts'

const page = readDoc('docs/architecture.md')
const codes = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)
const unique = <Item>(items: readonly Item[]): Item[] => [...new Set(items)]

const isPath = (code: string): boolean =>
  /^(?:src|workers|demo|harness|bench|chaos|soak|test|docs)\//.test(code)
const isFile = (code: string): boolean => isPath(code) && /\.(?:ts|lua)$/.test(code)

describe('docs/architecture.md', () => {
  test.each(unique(codes(page).filter(isPath)))('docs/architecture.md: %s exists', path => {
    expect(existsSync(join(root, path))).toBe(true)
  })

  /** Wherever a file and a function stand next to each other: in cells of their own, or in a sentence. */
  const functionsNamed = [...page.matchAll(/`([^`]+)`(?: \| | )`(\w+)`/g)]
    .map(([, file, name]): [string, string] => [file!, name!])
    .filter(([file]) => isFile(file))

  const declares = (file: string, name: string): boolean => {
    const words = file.endsWith('.lua') ? 'function' : 'const|function|class|interface'
    return new RegExp(`\\b(?:${words}) ${name}\\b`).test(readDoc(file))
  }

  test('docs/architecture.md names functions', () => {
    expect(functionsNamed.length).toBeGreaterThan(30)
  })

  test.each(functionsNamed)('docs/architecture.md: %s declares %s', (file, name) => {
    expect(declares(file, name)).toBe(true)
  })

  describe('the rooms of docs/architecture.md', () => {
    const rooms = tableAfter(page, '| room |').map(([room]) => uncode(room!))
    const [picture] = blocksOf(page).filter(({ language }) => language === 'mermaid')
    const floors = [...picture!.text.matchAll(/\["([^"]+)"\]/g)].map(([, names]) => names!.split(' · '))
    const floorOf = (room: string): number => floors.findIndex(names => names.includes(room))

    test('are the folders of src, each on one floor of the picture', () => {
      const folders = unique(
        globSync('src/*/*', { cwd: root }).map(path => path.split('/').slice(0, 2).join('/')),
      )
      expect(rooms.toSorted()).toEqual(folders.toSorted())
      expect(rooms.filter(room => floorOf(basename(room)) < 0)).toEqual([])
    })

    test('import from their own floor of the picture, or from below', () => {
      const upward = globSync('src/*/**/*.ts', { cwd: root }).flatMap(file => {
        const room = file.split('/')[1]!
        return [...readDoc(file).matchAll(/from '(?:\.\.\/)+([\w-]+)\/[^']*'/g)]
          .map(([, imported]) => imported!)
          .filter(imported => floorOf(imported) >= 0 && floorOf(imported) < floorOf(room))
          .map(imported => `${file} → ${imported}`)
      })
      expect(upward).toEqual([])
    })
  })

  describe('the states of docs/architecture.md', () => {
    interface Transition {
      readonly from: string
      readonly to: string
    }
    const transitionsIn = (markdown: string): Transition[] =>
      blocksOf(markdown)
        .filter(({ text }) => text.startsWith('stateDiagram'))
        .flatMap(({ text }) => [...text.matchAll(/^ {2}(\S+) --> ([\w[\]*]+)/gm)])
        .map(([, from, to]) => ({ from: from!, to: to! }))
    const partFrom = (heading: string): string => page.slice(page.indexOf(heading))
    const named = ({ from, to }: Transition): string => `${from} -> ${to}`
    const statesOf = (transitions: readonly Transition[]): string[] =>
      unique(transitions.flatMap(({ from, to }) => [from, to]))
        .filter(state => state !== '[*]')
        .toSorted()

    const jobs = tableAfter(page, '| from | to |').flatMap(([from, to, , script]) =>
      (codes(from!).length === 0 ? ['[*]'] : codes(from!)).flatMap(before =>
        codes(to!).map(behind => ({ from: before, to: behind, script: uncode(script!) })),
      ),
    )

    test('of jobs are all there are, and final ones are left by none', () => {
      expect(statesOf(jobs)).toEqual([...jobStatuses].toSorted())
      expect(jobs.filter(({ from }) => (terminalStatuses as readonly string[]).includes(from))).toEqual([])
    })

    test('of jobs are written by the scripts that the table names, and by no other', () => {
      const writes = /'HSET', record, (?:'state'|unpack\(job)|\bfinish\(record, (?:schedule|KEYS)/
      const scripts = globSync('src/jobs/lua/*.lua', { cwd: root }).filter(
        path => basename(path) !== 'finish.lua' && writes.test(readDoc(path)),
      )
      expect(unique(jobs.map(({ script }) => script)).toSorted()).toEqual(scripts.toSorted())
    })

    test('of jobs are those in the picture of docs/failures.md', () => {
      const picture = transitionsIn(readDoc('docs/failures.md')).filter(({ to }) => to !== '[*]')
      expect(statesOf(picture)).toEqual([...jobStatuses].toSorted())
      const known = jobs.map(named)
      expect(picture.map(named).filter(each => !known.includes(each))).toEqual([])
    })

    test('of batches are all there are, and ended ones are left by none', () => {
      const section = partFrom('### Batches').split('### Circuits')[0]!
      const transitions = transitionsIn(section)
      expect(statesOf(transitions)).toEqual([...batchStatuses].toSorted())
      const ended = endedBatchStatuses as readonly string[]
      expect(transitions.filter(({ from }) => ended.includes(from))).toEqual([])
    })

    test('of circuits change as the domain says', () => {
      const [, comment = ''] =
        /\/\*\*([^/]*?→[^/]*?)\*\/\nexport type CircuitState/s.exec(readDoc('src/domain/circuit.ts')) ?? []
      const said = [...comment.matchAll(/(\w+(?:, \w+)*) → (\w+)/g)].flatMap(([, froms, to]) =>
        froms!.split(', ').map(from => ({ from, to: to! })),
      )
      expect(said.length).toBeGreaterThan(5)
      expect(transitionsIn(partFrom('### Circuits')).map(named).toSorted()).toEqual(
        said.map(named).toSorted(),
      )
    })
  })

  test('docs/architecture.md has every key and every channel that the code builds', () => {
    const keys = tableAfter(page, '| key | type |').map(([key]) => normalKey(uncode(key!)))
    const channels = tableAfter(page, '| channel |').map(([channel]) => normalKey(uncode(channel!)))
    // One is made of the key that it stands beside.
    const built = globSync('src/**/*.ts', { cwd: root }).flatMap(path => keyPatternsOf(readDoc(path)))
    expect(readDoc('src/redis/replicated.ts')).toContain(':mark`')
    built.push('{*}:mark')
    expect(unique([...keys, ...channels]).toSorted()).toEqual(unique(built).toSorted())
  })

  describe('the fields of a job in docs/architecture.md', () => {
    const fields = page.slice(page.indexOf('## Fields of records'))
    const listed = ['### Job\n', '### Delivery of a webhook'].flatMap(heading =>
      tableAfter(fields, heading).map(([field]) => uncode(field!)),
    )

    /** What a script names in a command on a hash: all words of a read, every second one of a write. */
    const namedIn = (lua: string): string[] =>
      [
        ...lua.matchAll(
          /redis\.call\('(HM?GET|HSET|HDEL|HINCRBY)', (?:record|KEYS\[1\]|record_of\(\w+\)), ((?:[^()]|\([^()]*\))*)\)/g,
        ),
      ].flatMap(([, command, words]) =>
        words!
          .split(/,\s*/)
          .filter((_, i) => command !== 'HSET' || i % 2 === 0)
          .flatMap(word => /^'(\w+)'$/.exec(word)?.[1] ?? []),
      )

    /** It looks at batches alone. */
    const isOfBatches = (path: string): boolean => path.endsWith('look-owed.lua')

    const job: NewJob = {
      ...{
        id: 'job_x',
        tenant: 'a',
        priority: 'low',
        class: 'interactive',
        endpoint: '/v1/messages',
        model: 'm',
        body: '{}',
      },
      ...{
        target: { provider: 'p', model: 'm' },
        headers: { a: 'b' },
        home: { provider: 'p', key: null, id: 'i' },
      },
      tokens: 1,
      ...{ createdAtMs: 1, expiresAtMs: 2, webhook: { url: 'u' }, metadata: { a: 'b' }, retryOf: 'job_y' },
      moves: [{ kind: 'skipped', at: 1, hop: 0, provider: 'p', model: 'm', reason: 'open' }],
      idempotency: { keyHash: 'k', fingerprint: 'f', ttlMs: 1 },
    }

    test('are those that the codec and the scripts read and write', () => {
      const scripts = ['jobs', 'webhooks', 'mirror'].flatMap(room =>
        globSync(`src/${room}/lua/*.lua`, { cwd: root }),
      )
      const inScripts = scripts.filter(path => !isOfBatches(path)).flatMap(path => namedIn(readDoc(path)))
      const written = jobFields(job).filter((_, i) => i % 2 === 0)
      const inCode = ['src/jobs/record.ts', 'src/jobs/payloads.ts'].flatMap(path =>
        [...readDoc(path).matchAll(/\bfields\.(\w+)\b(?!\()/g)].map(([, field]) => field!),
      )
      const known = unique([...headFields, ...written, ...inScripts, ...inCode])
      expect(known.filter(field => !listed.includes(field))).toEqual([])
      const everything = globSync('src/{jobs,webhooks,mirror,batches}/**/*.{ts,lua}', { cwd: root })
        .map(path => readFileSync(join(root, path), 'utf8'))
        .join('\n')
      expect(listed.filter(field => !new RegExp(`'${field}'`).test(everything))).toEqual([])
    })
  })
})
