import { definePackedScript, defineScript } from '../redis/scripts.ts'

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url)

const packed = { whenFull: 'runs' } as const
const onRecord = { ...packed, keys: 2 } as const

/** Deliveries of jobs, batches and notices: the record is that of whose webhook it is. */
export const deliveryScripts = {
  take: definePackedScript({ ...packed, lua: lua('take-delivery') }),
  record: definePackedScript({ ...packed, lua: lua('delivery') }),
  hold: definePackedScript({ ...packed, lua: lua('hold-delivery') }),
  recover: defineScript({ ...onRecord, lua: lua('recover-delivery') }),
  redeliver: defineScript({ ...onRecord, lua: lua('redeliver') }),
  lookOwed: defineScript({ ...onRecord, lua: lua('look-owed') }),
} as const
