import { randomBytes, randomInt } from 'node:crypto'
import type { Endpoint, UpstreamDialect } from '../domain/endpoint.ts'
import { type Edit, withEdits } from '../json/edits.ts'
import { isJsonObject } from '../json/json-object.ts'
import { type FoundValue, type JsonPath, numbersIn, valuesAt } from '../json/values-at.ts'

/** What of a format is passed on as it is written. */
export interface Sealed {
  /** The inputs of tools: objects, or strings that spell one. */
  readonly inputs: readonly JsonPath[]
  /** Values whose numbers are to stay as they are written. */
  readonly numbers: readonly JsonPath[]
}

const isObjectText = (text: string): boolean => {
  try {
    return isJsonObject(JSON.parse(text))
  } catch {
    return false
  }
}

/** Beyond 2^52, and a safe integer still: no number of a request that is not made of chance. */
const leastNumber = 2 ** 52

/**
 * Takes texts out of a body before the AI SDK reads it, and puts them back into what the SDK has written, the same in both
 * directions. The SDK parses and writes anew: 2512292042121000001 would become another id, 1.10 another price, and what nests
 * deeply nothing at all. What stands for a text until then is an object with one member, a number for a number; both survive
 * whatever the SDK does to them, and are made of chance, so that no prompt can look like one. One for each call.
 */
export class Seals {
  readonly #name = `baton-${randomBytes(12).toString('hex')}`
  readonly #texts: string[] = []
  readonly #firstNumber = leastNumber + randomInt(2 ** 47)
  readonly #numbers: string[] = []

  /** The body without the texts that `sealed` leads to. */
  seal(body: string, sealed: Sealed | undefined): string {
    if (sealed === undefined) return body
    const { inputs, numbers } = sealed
    const edits = [
      ...valuesAt(body, inputs).flatMap(value => this.#sealInput(body, value)),
      ...valuesAt(body, numbers)
        .flatMap(value => [...numbersIn(body, value)])
        .flatMap(number => this.#sealNumber(body, number)),
    ]
    return withEdits(body, edits)
  }

  /** The texts are back where they belong: as they are, or as a piece of the string that the input has become. */
  open(body: string): string {
    return this.#openNumbers(this.#openTexts(body))
  }

  #sealInput(body: string, { start, end }: FoundValue): Edit[] {
    const written = body.slice(start, end)
    if (written.startsWith('{')) return [{ start, end, text: this.#put(written) }]
    const text = written.startsWith('"') ? (JSON.parse(written) as string) : ''
    // What is no object is for the edges to judge.
    return isObjectText(text) ? [{ start, end, text: JSON.stringify(this.#put(text)) }] : []
  }

  #put(text: string): string {
    return `{"${this.#name}":${this.#texts.push(text) - 1}}`
  }

  #sealNumber(body: string, { start, end }: FoundValue): Edit[] {
    const written = body.slice(start, end)
    if (JSON.stringify(Number(written)) === written) return []
    return [{ start, end, text: String(this.#firstNumber + this.#numbers.push(written) - 1) }]
  }

  #openTexts(body: string): string {
    if (this.#texts.length === 0) return body
    const seal = new RegExp(`\\{(\\\\*)"${this.#name}\\1":([0-9]+)\\}`, 'g')
    return body.replace(seal, (_, slashes: string, index: string) => {
      let text = this.#texts[Number(index)]!
      // Within a string a quote is written with one backslash, within a string of a string with three, and so on.
      for (let left = slashes.length; left > 0; left = (left - 1) / 2)
        text = JSON.stringify(text).slice(1, -1)
      return text
    })
  }

  #openNumbers(body: string): string {
    if (this.#numbers.length === 0) return body
    const all = this.#numbers.map((_, i) => this.#firstNumber + i).join('|')
    const number = new RegExp(`(?<![0-9.])(?:${all})(?![0-9.eE])`, 'g')
    return body.replace(number, found => this.#numbers[Number(found) - this.#firstNumber]!)
  }
}

const path = (text: string): JsonPath => text.split('.')

/** What a client's body holds that is not for us to read, in the formats that are translated. */
export const sealedOfRequests: Readonly<Partial<Record<Endpoint, Sealed>>> = {
  '/v1/chat/completions': {
    inputs: [path('messages.*.tool_calls.*.function.arguments')],
    numbers: ['tools.*.function.parameters', 'response_format.json_schema.schema'].map(path),
  },
  '/v1/messages': {
    inputs: [path('messages.*.content.*.input')],
    numbers: ['tools.*.input_schema', 'output_config.format.schema'].map(path),
  },
  '/v1/responses': {
    inputs: [path('input.*.arguments')],
    numbers: ['tools.*.parameters', 'text.format.schema'].map(path),
  },
}

const answers = (inputs: string): Sealed => ({ inputs: [path(inputs)], numbers: [] })

/** The same of providers' answers, each in its own format. */
export const sealedOfAnswers: Readonly<Record<UpstreamDialect, Sealed>> = {
  openai: answers('choices.*.message.tool_calls.*.function.arguments'),
  mistral: answers('choices.*.message.tool_calls.*.function.arguments'),
  anthropic: answers('content.*.input'),
  cohere: answers('message.tool_calls.*.function.arguments'),
  google: answers('candidates.*.content.parts.*.functionCall.args'),
  bedrock: answers('output.message.content.*.toolUse.input'),
}
