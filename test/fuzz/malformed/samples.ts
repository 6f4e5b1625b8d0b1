import { type Document, resolved, type Schema } from '../../api/openapi/document.ts'
import type { Chance } from './chance.ts'

/** What there is on the server, for requests to name. */
export interface Known {
  readonly apiKey: string
  readonly webhookUrl: string
  readonly jobs: readonly string[]
  readonly files: readonly string[]
  readonly uploads: readonly string[]
  readonly batches: readonly string[]
  readonly messageBatches: readonly string[]
}

/** In every prompt: it must be in no log. */
export const promptMark = 'MARK-PROMPT-5d1a'

/** No route leads to it, so that it can be paused without holding anything up. */
export const unusedProvider = 'third'

/** Values that a schema cannot tell, by the name of the field. */
const named = (known: Known): Readonly<Record<string, (chance: Chance) => unknown>> => {
  const chat = (chance: Chance): object => ({
    model: chance.pick(['gpt-4', 'claude']),
    max_tokens: 5,
    messages: [{ role: 'user', content: promptMark }],
  })
  return {
    body: chat,
    params: chat,
    model: chance => chance.pick(['gpt-4', 'claude']),
    url: () => known.webhookUrl,
    secret: () => `whsec_${'A'.repeat(32)}`,
    completion_window: chance => chance.pick(['1m', '24h', '7d']),
    input_file_id: chance => chance.pick(known.files),
    custom_id: chance => `row-${chance.whole(1e9)}`,
    md5: () => '0'.repeat(32),
    messages: () => [{ role: 'user', content: promptMark }],
    cursor: () => undefined,
    after: () => undefined,
    after_id: () => undefined,
    before_id: () => undefined,
  }
}

/** Something that a schema takes. Fields that may be left out are, now and then. */
export const sampleOf = (document: Document, known: Known, schema: Schema, chance: Chance): unknown => {
  const own = named(known)
  const draw = (given: Schema, name: string): unknown => {
    const one = resolved(document, given)
    const draws = own[name]
    if (draws) return draws(chance)
    if (one.anyOf) return draw(chance.pick(one.anyOf), '')
    if (one.enum) return chance.pick(one.enum)
    if (one.const !== undefined) return one.const
    switch ([one.type].flat()[0]) {
      case 'object':
        return drawObject(one)
      case 'array':
        return Array.from({ length: 1 + chance.whole(2) }, () => draw(one.items ?? {}, ''))
      case 'integer':
      case 'number':
        return (one.minimum ?? 1) + chance.whole(10)
      case 'boolean':
        return chance.hit(0.5)
      case 'null':
        return null
      default:
        return `text-${chance.whole(1e6)}`
    }
  }
  const drawObject = ({ properties = {}, required = [], additionalProperties }: Schema): object => {
    const names = Object.keys(properties).filter(name => required.includes(name) || chance.hit(0.3))
    const pairs = names.map((name): [string, unknown] => [name, draw(properties[name]!, name)])
    const isMap = names.length === 0 && typeof additionalProperties === 'object'
    return Object.fromEntries(isMap ? [['key', draw(additionalProperties, '')]] : pairs)
  }
  return draw(schema, '')
}
