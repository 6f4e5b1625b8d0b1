import fc from 'fast-check'

const digits = fc.stringMatching(/^[0-9]{1,30}$/)
const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9][0-9]{0,30}$/)),
    fc.option(digits, { nil: null }),
    fc.option(fc.tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '+', '-'), digits), { nil: null }),
  )
  .map(
    ([sign, whole, part, power]) => sign + whole + (part ? `.${part}` : '') + (power ? power.join('') : ''),
  )

const character = fc.oneof(
  fc.constantFrom(
    '\\"',
    '\\\\',
    '\\/',
    '\\b',
    '\\n',
    '\\u0041',
    '\\u00e9',
    '\\ud83d\\ude00',
    '\\ud800',
    '\\u0000',
  ),
  fc.constantFrom('a', 'é', '😀', '{', '}', '[', ']', ',', ':', ' ', "'", '\u2028', '\u007f'),
)
const string = fc.array(character, { maxLength: 8 }).map(parts => `"${parts.join('')}"`)
const gap = fc.constantFrom('', '', '', ' ', '\n', '\r\n', '\t  ')

const spaced = (parts: readonly string[], gaps: string, open: string, close: string): string =>
  open + gaps + parts.join(`${gaps},${gaps}`) + gaps + close

const { value, object } = fc.letrec<{ value: string; object: string }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.oneof(number, string, fc.constantFrom('true', 'false', 'null')),
    fc.tuple(fc.array(tie('value'), { maxLength: 4 }), gap).map(([all, gaps]) => spaced(all, gaps, '[', ']')),
    tie('object'),
  ),
  object: fc
    .tuple(fc.array(fc.tuple(fc.oneof(fc.constant('"a"'), string), tie('value')), { maxLength: 4 }), gap)
    .map(([members, gaps]) =>
      spaced(
        members.map(([name, text]) => `${name}${gaps}:${gaps}${text}`),
        gaps,
        '{',
        '}',
      ),
    ),
}))

/** JSON texts of every way to write them: numbers of any length, escapes, gaps, names that come twice. */
export const anyJson: fc.Arbitrary<string> = value
export const anyJsonObject: fc.Arbitrary<string> = object

export const deepJson = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

/** What JSON.parse and JSON.stringify would change, or fail at. */
export const fragileJson: readonly (readonly [string, string])[] = [
  ['a whole number past 2^53', '9007199254740993'],
  ['a whole number of nineteen digits', '{"id":2512292042121000001}'],
  ['a whole number written with a point', '1.0'],
  ['a price', '{"price":1.10}'],
  ['a number beyond all doubles', '[1e400,-1e400,1e-400]'],
  ['a negative zero', '[-0,-0.0]'],
  ['powers', '[0.1e1,1E+2,1e21]'],
  ['more digits than a double has', '3.141592653589793238462643'],
  ['a name that comes twice', '{"a":1,"a":2}'],
  ['names that are numbers', '{"10":1,"9":2}'],
  ['escapes', '"\\u0041\\/\\u00e9\\ud83d\\ude00"'],
  ['half of a surrogate pair', '"\\ud800"'],
  ['white space', '{ "a" :\t[ 1 , 2 ]\r\n}'],
  ['nesting 20,000 deep', deepJson(20_000)],
]
