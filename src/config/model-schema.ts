import { z } from 'zod'
import { capabilities as names } from '../domain/capabilities.ts'
import { flag, numeric, positiveInt } from './schema-values.ts'

const price = z.strictObject({
  /** US dollars per million input tokens. */
  input: numeric(z.number().nonnegative()),
  /** US dollars per million output tokens. */
  output: numeric(z.number().nonnegative()),
  /** Of input that the provider read from its cache, and wrote to it; that of input by default. */
  cache_read: numeric(z.number().nonnegative()).optional(),
  cache_write: numeric(z.number().nonnegative()).optional(),
})

const only = z.array(z.enum(names))

/** Written as a table, it says yes or no to what it names; as a list, no to all that it leaves out. */
const capabilities = z.preprocess(
  value => {
    const listed = only.safeParse(value)
    return listed.success ? Object.fromEntries(names.map(name => [name, listed.data.includes(name)])) : value
  },
  z.strictObject(
    Object.fromEntries(names.map(name => [name, flag.optional()])) as Record<
      (typeof names)[number],
      z.ZodOptional<typeof flag>
    >,
    `expected a table such as {vision: false}, or a list of: ${names.join(', ')}`,
  ),
)

/** Facts about a model on a provider; a route may repeat them and then wins. */
export const modelFacts = {
  upstream_model: z.string().min(1).optional(),
  /** Tokens of prompt and answer together. */
  context_window: positiveInt.optional(),
  max_output_tokens: positiveInt.optional(),
  /** What it can do; what is not said is tried. */
  capabilities: capabilities.optional(),
  price: price.optional(),
}

export const model = z.strictObject(modelFacts)
