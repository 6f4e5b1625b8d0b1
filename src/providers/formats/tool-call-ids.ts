import { createHash } from 'node:crypto'

export interface IdRule {
  readonly pattern: RegExp
  /** What may not stand in an id, where one without it fits. */
  readonly foreign?: RegExp
  /** Stands before the digest that replaces an id which does not fit. */
  readonly prefix: string
  readonly digestLength: number
}

/**
 * The ids of a conversation's tool calls, as a target takes them: a result keeps to its call, and no two
 * calls share an id, which some models count anew in every turn. The same conversation always gets the same
 * ids.
 */
export class ToolCallIds {
  readonly #rule: IdRule
  /** What was given to the calls of one id, in order. */
  readonly #given = new Map<string, string[]>()
  readonly #answered = new Map<string, number>()
  readonly #taken = new Set<string>()

  constructor(rule: IdRule) {
    this.#rule = rule
  }

  call(id: string): string {
    const given = this.#given.get(id) ?? []
    const made = this.#free(id, given.length)
    this.#taken.add(made)
    this.#given.set(id, [...given, made])
    return made
  }

  /** Results come in the order of their calls where several calls share an id. */
  result(id: string): string {
    const given = this.#given.get(id)
    if (!given) return this.#fitting(id, 0)
    const answered = this.#answered.get(id) ?? 0
    this.#answered.set(id, answered + 1)
    return given[Math.min(answered, given.length - 1)]!
  }

  #free(id: string, nth: number): string {
    for (let attempt = nth; ; attempt++) {
      const made = this.#fitting(id, attempt)
      if (!this.#taken.has(made)) return made
    }
  }

  #fitting(id: string, attempt: number): string {
    const { pattern, foreign, prefix, digestLength } = this.#rule
    const readable = foreign ? id.replaceAll(foreign, '_') : id
    if (attempt === 0 && pattern.test(readable)) return readable
    const digest = createHash('sha256')
      .update(attempt === 0 ? id : `${attempt}:${id}`)
      .digest('hex')
    return prefix + digest.slice(0, digestLength)
  }
}
