import type { Chance } from './chance.ts'
import { type Draft, setHeader } from './draft.ts'

/** Puts one fault into a request that is right. */
export type Fault = (draft: Draft, chance: Chance) => void

type Tree = Record<string, unknown>

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null

const nested = (depth: number, chance: Chance): string =>
  chance.hit(0.5)
    ? `${'['.repeat(depth)}${']'.repeat(depth)}`
    : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`

/** JSON of other types, of odd values, and what only looks like JSON. */
const oddJson = (chance: Chance): string =>
  chance.pick([
    () => chance.pick(['null', 'true', 'false', '0', '-1', '""', '[]', '{}', '[[]]', '[null]', '{"":0}']),
    () =>
      chance.pick(['NaN', 'Infinity', '-Infinity', 'undefined', '0x10', '01', '.5', '1.', '+1', "'a'", '1e']),
    () => chance.pick(['1e400', '-1e400', '1e-400', '-0', '9007199254740993', '9'.repeat(400), '0.1e1']),
    () => chance.pick(['"\\ud800"', '"\\u0000"', '"\\x41"', '"\t"', '"__proto__"', '"constructor"']),
    () => JSON.stringify(chance.text(40)),
    () => JSON.stringify('x'.repeat(chance.whole(20_000))),
    () => nested(chance.pick([5, 100, 2_000, 9_000]), chance),
    () => '{"__proto__":{"a":1},"constructor":{"prototype":1}}',
  ])()

const mark = '"@odd@"'

/** Places a value anywhere in a tree; null for the tree itself. */
const replaceSomewhere = (
  tree: unknown,
  chance: Chance,
  act: (holder: Tree, name: string) => void,
): unknown => {
  if (!isTree(tree)) return null
  const names = Object.keys(tree)
  if (names.length === 0) return null
  const name = chance.pick(names)
  const inner = tree[name]
  if (isTree(inner) && Object.keys(inner).length > 0 && chance.hit(0.5))
    return replaceSomewhere(inner, chance, act)
  act(tree, name)
  return tree
}

/** Changes the body's JSON as a tree, then writes what `@odd@` stands for into its text. */
const inTree =
  (act: (holder: Tree, name: string, chance: Chance) => void): Fault =>
  (draft, chance) => {
    const tree = treeOf(draft)
    replaceSomewhere(tree, chance, (holder, name) => act(holder, name, chance))
    draft.body = Buffer.from(JSON.stringify(tree).replaceAll(mark, () => oddJson(chance)))
  }

/** Where an earlier fault left no JSON, or more depth than can be written again, something small stands in. */
const treeOf = ({ body }: Draft): unknown => {
  try {
    const tree: unknown = JSON.parse(body?.toString() ?? '{}')
    JSON.stringify(tree)
    return tree
  } catch {
    return { file: 1 }
  }
}

const inBytes =
  (act: (body: Buffer, chance: Chance) => Buffer): Fault =>
  (draft, chance) => {
    draft.body = act(draft.body ?? Buffer.from('{}'), chance)
  }

const splice = (body: Buffer, at: number, removed: number, added: Buffer): Buffer =>
  Buffer.concat([body.subarray(0, at), added, body.subarray(at + removed)])

const invalidUtf8 = ['ff', 'c0af', 'eda080', 'f8888080', 'e282', '80'].map(hex => Buffer.from(hex, 'hex'))

const bomb = '{"a":'.repeat(12_000)

export const bodyFaults: Readonly<Record<string, Fault>> = {
  'another type': inTree((holder, name) => {
    holder[name] = '@odd@'
  }),
  'a field less': inTree((holder, name) => {
    delete holder[name]
  }),
  'a field more': inTree((holder, _, chance) => {
    holder[chance.pick(['extra', '', 'toString', 'a.b', chance.text(20), 'x'.repeat(3_000)])] = '@odd@'
  }),
  'a forbidden name': inTree((holder, name) => {
    holder[`${name}x`] = '@odd@'
  }),
  'another document': inBytes((_, chance) => Buffer.from(oddJson(chance))),
  'many fields': inBytes((_, chance) =>
    Buffer.from(
      JSON.stringify(Object.fromEntries(Array.from({ length: chance.whole(900) }, (_, i) => [`k${i}`, i]))),
    ),
  ),
  'cut short': inBytes((body, chance) => body.subarray(0, chance.whole(body.length))),
  'bytes that are no UTF-8': inBytes((body, chance) =>
    splice(body, chance.whole(body.length + 1), 0, chance.pick(invalidUtf8)),
  ),
  'a byte changed': inBytes((body, chance) =>
    splice(body, chance.whole(body.length + 1), 1, chance.bytes(1)),
  ),
  'a piece repeated': inBytes((body, chance) => {
    const at = chance.whole(body.length + 1)
    return splice(body, at, 0, body.subarray(at, at + chance.whole(50)))
  }),
  'no body': draft => {
    draft.body = null
  },
  'an empty body': inBytes(() => Buffer.alloc(0)),
  'white space': inBytes((_, chance) => Buffer.from(chance.pick([' ', '\n\n', '\ufeff', '\t', '\0']))),
  'a byte order mark': inBytes(body => Buffer.concat([Buffer.from('\ufeff'), body])),
  'random bytes': inBytes((_, chance) => chance.bytes(1 + chance.whole(300))),
  'never closed': inBytes(() => Buffer.from(bomb)),
  'a long body': inBytes((body, chance) =>
    Buffer.concat([body, Buffer.alloc(chance.pick([59_000, 70_000, 300_000]), ' ')]),
  ),
  'another content type': (draft, chance) => setHeader(draft, 'content-type', chance.pick(contentTypes)),
  'no content type': draft => {
    draft.headers = draft.headers.filter(([name]) => name !== 'content-type')
    draft.body ??= Buffer.from('{}')
  },
  'a content encoding': (draft, chance) =>
    setHeader(draft, 'content-encoding', chance.pick(['gzip', 'br', 'identity', 'nonsense', ''])),
}

const contentTypes = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/json; charset=utf-16',
  'application/json;;;',
  'application/jsonx',
  'APPLICATION/JSON',
  'application/json, text/html',
  'multipart/form-data',
  'multipart/form-data; boundary=',
  'multipart/form-data; boundary=other',
  `multipart/form-data; boundary=${'b'.repeat(300)}`,
  'multipart/mixed; boundary=baton-test-boundary',
  '*/*',
  '/',
  ';',
  '',
  'null',
]
