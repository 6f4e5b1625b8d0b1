import { definePackedScript, defineScript } from '../redis/scripts.ts'

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url)

const packed = { whenFull: 'runs' } as const

export const batchScripts = {
  create: defineScript({
    lua: lua('create'),

    keys: 4,
    whenFull: 'refused',
    confirmed: true,
  }),
  cancel: defineScript({ ...packed, lua: lua('cancel'), keys: 1 }),
  remove: defineScript({ ...packed, lua: lua('remove'), keys: 4 }),
  lease: defineScript({ ...packed, lua: lua('lease'), keys: 2 }),
  step: defineScript({ ...packed, lua: lua('step'), keys: 1 }),
  block: defineScript({ ...packed, lua: lua('block'), keys: 2 }),
  end: defineScript({ ...packed, lua: lua('end'), keys: 10 }),
  feed: definePackedScript({ lua: lua('feed'), whenFull: 'refused' }),
  /** Feeds lines that become no jobs: they free more than they take. */
  pass: definePackedScript({ ...packed, lua: lua('feed'), name: 'batches/pass' }),
  running: definePackedScript({ ...packed, lua: lua('running') }),
  lineStates: definePackedScript({ ...packed, lua: lua('line-states') }),
  peek: definePackedScript({ ...packed, lua: lua('peek') }),
  collect: definePackedScript({ ...packed, lua: lua('collect') }),
} as const
