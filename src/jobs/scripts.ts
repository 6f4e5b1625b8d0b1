import { definePackedScript, defineScript } from '../redis/scripts.ts'

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url)

const packed = { whenFull: 'runs' } as const
const onRecord = { ...packed, keys: 1 } as const

/** Finds the jobs that keys name, and makes none. */
const createKnown = definePackedScript({
  ...packed,
  lua: lua('create'),
  before: 'local MAKES_NONE = true\n',
  name: 'jobs/create-known',
})

export const jobScripts = {
  create: definePackedScript({
    lua: lua('create'),
    before: 'local MAKES_NONE = false\n',
    whenFull: 'refused',
    whenStoreFull: createKnown,
    confirmed: true,
  }),
  claim: definePackedScript({ ...packed, lua: lua('claim') }),
  renew: definePackedScript({ ...packed, lua: lua('renew') }),
  move: definePackedScript({ ...packed, lua: lua('move') }),
  finalise: definePackedScript({ ...packed, lua: lua('finalise') }),
  retry: defineScript({ ...onRecord, lua: lua('retry') }),
  isolate: defineScript({ ...onRecord, lua: lua('isolate') }),
  account: defineScript({ ...onRecord, lua: lua('account') }),
  endWithoutAnswer: defineScript({ ...onRecord, lua: lua('end-without-answer'), keys: 3 }),
  remove: defineScript({ ...onRecord, lua: lua('remove'), keys: 2 }),
  recover: defineScript({ ...onRecord, lua: lua('recover'), keys: 2 }),
  passOn: defineScript({ ...onRecord, lua: lua('pass-on'), keys: 2 }),
  takeDue: defineScript({ ...onRecord, lua: lua('take') }),
  look: definePackedScript({ ...packed, lua: lua('look') }),
  list: definePackedScript({ ...packed, lua: lua('list') }),
  listPair: definePackedScript({ ...packed, lua: lua('list-pair') }),
  weighPairs: definePackedScript({ ...packed, lua: lua('weigh-pairs') }),
  listKinds: definePackedScript({ ...packed, lua: lua('list-kinds') }),
  listRunning: definePackedScript({ ...packed, lua: lua('list-running') }),
  relist: definePackedScript({ ...packed, lua: lua('relist') }),
  forgetLives: defineScript({ ...onRecord, lua: lua('forget-lives') }),
  dropGone: definePackedScript({ ...packed, lua: lua('drop-gone') }),
  trimList: definePackedScript({ ...packed, lua: lua('trim-list') }),
  trimPairs: definePackedScript({ ...packed, lua: lua('trim-pairs') }),
} as const
