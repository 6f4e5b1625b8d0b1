import type { Usage } from '../domain/job.ts'

/** Each token stands under one kind: `input` is what was neither read from a cache nor written to one. */
export type TokenKinds = Readonly<Record<'input' | 'cache_read' | 'cache_write' | 'output', number>>

export const kindsOf = (usage: Usage): TokenKinds => {
  const { cache_read_tokens: read = 0, cache_write_tokens: write = 0 } = usage
  return {
    input: Math.max(0, usage.input_tokens - read - write),
    cache_read: read,
    cache_write: write,
    output: usage.output_tokens,
  }
}
