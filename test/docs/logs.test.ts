import { globSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readDoc, tableAfter } from './markdown.ts'

const call = /\blog(?:\.(?:debug|info|warn|error|fatal)|\[[^\]\n]+\])\(/g
const leadingEvent = /^\s*\{\s*event: '([a-z_]+(?:\.[a-z_]+)+)'/
const constantMessage = /'([^'\n]+)',?\s*$/

/** What stands between the parentheses of a call that begins at `start`. */
const argumentsAt = (source: string, start: number): string => {
  let depth = 1
  let end = start
  for (let inText = false; depth > 0; end++) {
    const sign = source[end]!
    if (sign === "'") inText = !inText
    else if (inText) continue
    else if ('([{'.includes(sign)) depth += 1
    else if (')]}'.includes(sign)) depth -= 1
  }
  return source.slice(start, end - 1)
}

interface LogCall {
  readonly where: string
  readonly event: string | undefined
  readonly message: string | undefined
}

const calls: readonly LogCall[] = globSync(['src/**/*.ts', 'workers/*.ts']).flatMap(path => {
  const source = readFileSync(path, 'utf8')
  return [...source.matchAll(call)].map(match => {
    const text = argumentsAt(source, match.index + match[0].length)
    return { where: path, event: leadingEvent.exec(text)?.[1], message: constantMessage.exec(text)?.[1] }
  })
})

/** Its message is a sentence about the setting that was found. */
const messageVaries = new Set(['redis.unsafe_setting'])

describe('docs/logs.md', () => {
  test('every log line begins with its event code', () => {
    expect(calls.length).toBeGreaterThan(80)
    expect(calls.filter(({ event }) => event === undefined)).toEqual([])
  })

  test('an event code has one constant message, and a message one code', () => {
    const pairs = new Set(
      calls
        .filter(({ event }) => !messageVaries.has(event!))
        .map(({ event, message }) => `${event}: ${message}`),
    )
    const codes = [...pairs].map(pair => pair.split(': ')[0])
    const messages = [...pairs].map(pair => pair.slice(pair.indexOf(': ') + 2))
    expect(messages).not.toContain('undefined')
    expect(codes.filter((code, i) => codes.indexOf(code) !== i)).toEqual([])
    expect(messages.filter((message, i) => messages.indexOf(message) !== i)).toEqual([])
  })

  test('docs/logs.md lists every event code once, in order', () => {
    const listed = tableAfter(readDoc('docs/logs.md'), '| event |').map(([code]) => code!.replaceAll('`', ''))
    expect(listed).toEqual([...new Set(calls.map(({ event }) => event!))].sort())
  })
})
