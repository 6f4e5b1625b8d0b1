import { TokenType } from '@streamparser/json'
import { BatonError } from '../domain/errors.ts'

/** A value of the document whose bytes are wanted: of the brackets at `start` and `end`, both included. */
export interface Span {
  /** The top-level member it is, or `requests` for an element of that array. */
  readonly member: string
  readonly start: number
  readonly end: number
}

/** What is to come next outside of the values whose bytes are wanted. */
type Place =
  | 'document'
  | 'first-key'
  | 'key'
  | 'colon'
  | 'value'
  | 'after-value'
  | 'first-request'
  | 'request'
  | 'after-request'
  | 'end'

/** Beside `requests`: our own additions to Anthropic's document. */
const extraMembers = ['webhook', 'completion_window', 'max_cost_usd']

const opens = (token: TokenType): boolean =>
  token === TokenType.LEFT_BRACE || token === TokenType.LEFT_BRACKET
const closes = (token: TokenType): boolean =>
  token === TokenType.RIGHT_BRACE || token === TokenType.RIGHT_BRACKET

/** Values that are no brackets come last in the library's list of tokens. */
const beginsValue = (token: TokenType): boolean => opens(token) || token >= TokenType.TRUE

const awaitsKey = (place: Place): boolean => place === 'first-key' || place === 'key'
const awaitsRequest = (place: Place): boolean => place === 'first-request' || place === 'request'

/** Where brackets and marks lead to. */
const punctuation: Readonly<Record<Place, Readonly<Partial<Record<TokenType, Place>>>>> = {
  document: { [TokenType.LEFT_BRACE]: 'first-key' },
  'first-key': { [TokenType.RIGHT_BRACE]: 'end' },
  key: {},
  colon: { [TokenType.COLON]: 'value' },
  value: {},
  'after-value': { [TokenType.COMMA]: 'key', [TokenType.RIGHT_BRACE]: 'end' },
  'first-request': { [TokenType.RIGHT_BRACKET]: 'after-value' },
  request: {},
  'after-request': { [TokenType.COMMA]: 'request', [TokenType.RIGHT_BRACKET]: 'after-value' },
  end: {},
}

export const invalidDocument = (param: string | null, message: string): BatonError =>
  new BatonError('invalid_request', message, { param })

export const invalidJson = (why: string): BatonError =>
  new BatonError('invalid_json', `The body is not valid JSON: ${why}.`)

/**
 * Follows the tokens of `{"requests": [{…}, …], …}` and says where each request, and each object among the extra
 * members, stands. Judges what is outside of them; what is inside only has its brackets counted, however deep it
 * nests. Throws BatonError `invalid_json` or `invalid_request`.
 */
export class DocumentOutline {
  readonly #onSpan: (span: Span) => void
  readonly #members = new Map<string, unknown>()
  #place: Place = 'document'
  #member = ''
  #requests = 0
  #depth = 0
  #start: number | null = null

  constructor(onSpan: (span: Span) => void) {
    this.#onSpan = onSpan
  }

  /** Where the value begins that is open now; null when none is. */
  get openSince(): number | null {
    return this.#start
  }

  /** Values of the extra members that are no objects or arrays. */
  get scalars(): ReadonlyMap<string, unknown> {
    return this.#members
  }

  token(token: TokenType, value: unknown, offset: number): void {
    if (this.#start !== null) this.#inside(token, offset, this.#start)
    else this.#outside(token, value, offset)
  }

  /** The bytes have ended. */
  finish(): void {
    if (this.#place !== 'end') throw invalidJson('it ends too early')
    if (this.#members.has('requests')) return
    throw invalidDocument('requests', 'requests: Field required')
  }

  #inside(token: TokenType, offset: number, start: number): void {
    if (opens(token)) this.#depth += 1
    else if (closes(token)) this.#depth -= 1
    if (this.#depth > 0) return
    this.#start = null
    this.#onSpan({ member: this.#member, start, end: offset })
  }

  #open(offset: number, next: Place): void {
    this.#start = offset
    this.#depth = 1
    this.#place = next
  }

  #outside(token: TokenType, value: unknown, offset: number): void {
    const next = punctuation[this.#place][token]
    if (next !== undefined) this.#place = next
    else if (this.#place === 'document') throw invalidDocument(null, 'Send a JSON object as the body.')
    else if (this.#place === 'end') throw invalidJson(`more follows after its end, at byte ${offset}`)
    else if (awaitsKey(this.#place) && token === TokenType.STRING) this.#key(String(value))
    else if (this.#place === 'value' && beginsValue(token)) this.#value(token, value, offset)
    else if (awaitsRequest(this.#place) && beginsValue(token)) this.#request(token, offset)
    else throw invalidJson(`something else was expected at byte ${offset}`)
  }

  #key(name: string): void {
    if (name !== 'requests' && !extraMembers.includes(name)) {
      const shown = name.slice(0, 64)
      throw invalidDocument(shown, `${shown}: Extra inputs are not permitted`)
    }
    if (this.#members.has(name)) throw invalidDocument(name, `${name}: the field is there twice`)
    this.#members.set(name, undefined)
    this.#member = name
    this.#place = 'colon'
  }

  #value(token: TokenType, value: unknown, offset: number): void {
    if (this.#member === 'requests') {
      if (token !== TokenType.LEFT_BRACKET) {
        throw invalidDocument('requests', 'requests: Input should be a valid list')
      }
      this.#place = 'first-request'
    } else if (opens(token)) {
      this.#open(offset, 'after-value')
    } else {
      this.#members.set(this.#member, value)
      this.#place = 'after-value'
    }
  }

  #request(token: TokenType, offset: number): void {
    if (token !== TokenType.LEFT_BRACE) {
      const at = `requests.${this.#requests}`
      throw invalidDocument(at, `${at}: Input should be an object`)
    }
    this.#requests += 1
    this.#open(offset, 'after-request')
  }
}
