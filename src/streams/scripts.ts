import { definePackedScript, defineScript } from '../redis/scripts.ts'

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url)

export const streamScripts = {
  append: definePackedScript({ lua: lua('append'), whenFull: 'runs' }),
  readers: defineScript({ lua: lua('readers'), keys: 1, whenFull: 'runs' }),
} as const
