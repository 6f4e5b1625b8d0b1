import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LineEnd, renderLine } from '../../src/batches/output-line.ts'
import { patienceMs, runs } from './runs.ts'

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('a', '"', '\\', '\n', '\r', '\t', '\u0000', '\u0085', '\u2028', '\u2029', '\ud800', '😀'),
    fc.constantFrom('{', '}', '[', ':', ','),
  ),
})
/**
 * Without backslashes: JSON.parse of Node 24 (V8 13.6) compares a name as it is written with one that it has just read, and
 * takes `{"a":0,"\\n":1}` for `{"a":0,"\\\\":1}` after it has met the latter.
 */
const memberName = text.map(name => name.replaceAll('\\', ''))
const gap = fc.constantFrom(undefined, 1, '\t')
const jsonText = fc
  .tuple(fc.dictionary(memberName, fc.oneof(text, fc.jsonValue({ maxDepth: 2 }))), gap)
  .map(([value, indent]) => JSON.stringify(value, null, indent))
const errorText = fc
  .tuple(fc.record({ message: text, type: text, code: fc.option(text) }), gap, fc.boolean())
  .map(([error, indent, isAnthropic]) =>
    JSON.stringify(isAnthropic ? { type: 'error', error, request_id: 'r' } : { error }, null, indent),
  )

const end: fc.Arbitrary<LineEnd> = fc.oneof(
  fc.record({
    kind: fc.constant('answered' as const),
    statusCode: fc.constantFrom(200, 201),
    // It was found to be JSON when it was judged.
    body: jsonText,
    requestId: text,
  }),
  fc.record({
    kind: fc.constant('answered' as const),
    statusCode: fc.integer({ min: 300, max: 599 }),
    body: fc.oneof(jsonText, errorText, text),
    requestId: text,
  }),
  fc.record({
    kind: fc.constant('failed' as const),
    code: text,
    message: text,
    param: fc.option(text),
    status: fc.option(fc.constantFrom(400, 404, 413, 422)),
  }),
  fc.constantFrom({ kind: 'expired' as const }, { kind: 'cancelled' as const }),
)

describe('an output line, of any answer', { timeout: patienceMs }, () => {
  it('is one line of JSON that names its request and tells of one end', () => {
    fc.assert(
      fc.property(fc.constantFrom('openai', 'anthropic'), text, end, (dialect, customId, given) => {
        const { text: line, outcome, file } = renderLine(dialect, 'batch_req_1', customId, given)
        expect(line.slice(0, -1)).not.toMatch(/[\r\n\u0085\u2028\u2029]/)
        expect(line.at(-1)).toBe('\n')
        const json = JSON.parse(line)
        expect(json.custom_id).toBe(customId)
        if (dialect === 'anthropic') {
          expect(file).toBe('output')
          expect(json.result.type).toBe(outcome)
          return
        }
        expect(file).toBe(outcome === 'succeeded' ? 'output' : 'error')
        const { response, error } = json
        expect((response === null) !== (error === null)).toBe(true)
        const is2xx = response !== null && response.status_code >= 200 && response.status_code <= 299
        expect(is2xx).toBe(outcome === 'succeeded')
        if (outcome === 'errored' && response !== null) expect(response.body.error).toBeTypeOf('object')
      }),
      runs(3_000),
    )
  })

  it('has a good answer with all its content', () => {
    fc.assert(
      fc.property(fc.constantFrom('openai', 'anthropic'), jsonText, (dialect, body) => {
        const given: LineEnd = { kind: 'answered', statusCode: 200, body, requestId: 'r' }
        const json = JSON.parse(renderLine(dialect, 'batch_req_1', 'row', given).text)
        expect(dialect === 'openai' ? json.response.body : json.result.message).toEqual(JSON.parse(body))
      }),
      runs(1_000),
    )
  })
})
