import { createHash } from 'node:crypto'

export interface NameRule {
  readonly pattern: RegExp
  /** What may not stand in a name. */
  readonly foreign: RegExp
  readonly maxLength: number
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8)

/**
 * A name with a digest instead of what does not fit: the same for the same tool, in every turn and process.
 */
const renamed = (name: string, { foreign, maxLength }: NameRule): string => {
  const readable = name.replaceAll(foreign, '_').replace(/^[^a-zA-Z_]/, '_')
  return `${readable.slice(0, maxLength - 9)}_${digestOf(name)}`
}

/** The names of a request's tools, as a target takes them and as the client knows them. */
export class ToolNames {
  readonly #rule: NameRule
  readonly #originals = new Map<string, string>()

  constructor(rule: NameRule) {
    this.#rule = rule
  }

  /** The name that the target gets. */
  sent(name: string): string {
    const { pattern, maxLength } = this.#rule
    if (pattern.test(name) && name.length <= maxLength) return name
    const made = renamed(name, this.#rule)
    this.#originals.set(made, name)
    return made
  }

  /** The client's name of a tool that the target named. */
  original(name: string): string {
    return this.#originals.get(name) ?? name
  }
}
