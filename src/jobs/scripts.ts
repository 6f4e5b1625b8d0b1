import { definePackedScript, defineScript } from '../redis/scripts.ts'

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url)

/** The names of a shard's keys, leases, and the ways in which a record changes. */
export const jobPrelude = lua('prelude')

/** The set of pairs of metadata that are indexed; and what tells of an entry whether a filter wants it. */
const [pairs, entryFilter] = [lua('pairs'), lua('entry-filter')]

const packed = { prelude: jobPrelude, whenFull: 'runs' } as const
const onRecord = { ...packed, keys: 1 } as const

/** Finds the jobs that keys name, and makes none. */
const createKnown = definePackedScript({
  ...packed,
  prelude: [jobPrelude, pairs],
  lua: lua('create'),
  before: 'MAKES_NONE = true\n',
  name: 'jobs/create-known',
})

export const jobScripts = {
  create: definePackedScript({
    lua: lua('create'),
    prelude: [jobPrelude, pairs],
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
  remove: defineScript({ ...onRecord, prelude: [jobPrelude, pairs], lua: lua('remove'), keys: 2 }),
  recover: defineScript({ ...onRecord, lua: lua('recover'), keys: 2 }),
  passOn: defineScript({ ...onRecord, lua: lua('pass-on'), keys: 2 }),
  takeDue: defineScript({ ...onRecord, lua: lua('take') }),
  look: definePackedScript({ ...packed, lua: lua('look') }),
  list: definePackedScript({ ...packed, prelude: [jobPrelude, entryFilter], lua: lua('list') }),
  listPair: definePackedScript({
    ...packed,
    prelude: [jobPrelude, pairs, entryFilter],
    lua: lua('list-pair'),
  }),
  weighPairs: definePackedScript({ ...packed, prelude: [jobPrelude, pairs], lua: lua('weigh-pairs') }),
  listKinds: definePackedScript({ ...packed, lua: lua('list-kinds') }),
  listRunning: definePackedScript({ ...packed, lua: lua('list-running') }),
  relist: definePackedScript({ ...packed, prelude: [jobPrelude, pairs], lua: lua('relist') }),
  forgetLives: defineScript({ ...onRecord, lua: lua('forget-lives') }),
  dropGone: definePackedScript({ ...packed, lua: lua('drop-gone') }),
  trimList: definePackedScript({ ...packed, lua: lua('trim-list') }),
  trimPairs: definePackedScript({ ...packed, prelude: [jobPrelude, pairs], lua: lua('trim-pairs') }),
} as const
