import { defineScript } from '../redis/scripts.ts'

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url)

const runs = { whenFull: 'runs' } as const
const makes = { whenFull: 'refused' } as const

export const fileScripts = {
  reserve: defineScript({ ...makes, lua: lua('file-reserve'), keys: 2 }),
  create: defineScript({ ...runs, lua: lua('file-create'), keys: 3, confirmed: true }),
  remove: defineScript({ ...runs, lua: lua('file-remove'), keys: 2 }),
  takePurge: defineScript({ ...runs, lua: lua('purge-take'), keys: 2 }),
  endPurge: defineScript({ ...runs, lua: lua('purge-done'), keys: 3 }),
} as const

export const uploadScripts = {
  create: defineScript({ ...makes, lua: lua('upload-create'), keys: 2, confirmed: true }),
  addPart: defineScript({ ...runs, lua: lua('upload-part'), keys: 2, confirmed: true }),
  complete: defineScript({ ...runs, lua: lua('upload-complete'), keys: 5, confirmed: true }),
  cancel: defineScript({ ...runs, lua: lua('upload-cancel'), keys: 2 }),
} as const

export const quotaScripts = {
  hold: defineScript({ ...runs, lua: lua('quota-hold'), keys: 2 }),
  free: defineScript({ ...runs, lua: lua('quota-free'), keys: 2 }),
  admit: defineScript({ ...runs, lua: lua('quota-admit'), keys: 1 }),
} as const
