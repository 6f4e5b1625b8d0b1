import { describe, expect, it } from 'vitest'
import { acceptsEventStream } from '../../../src/api/http/preferences.ts'

describe('the Accept header that asks for a stream', () => {
  it.each([
    ['text/event-stream', true],
    ['Text/Event-Stream', true],
    ['text/event-stream;charset=utf-8', true],
    ['text/event-stream;q=0.1', true],
    ['text/event-stream, */*', true],
    ['*/*;q=0.8, text/event-stream ; Q=0.9', true],
    ['application/json, text/event-stream', true],
    ['application/json;q=0.5,text/event-stream', true],
    ['application/json;q=0,text/event-stream;q=0.001', true],
    ['text/event-stream;q=0.5, application/json;q=0.1, */*', true],
    ['text/event-stream;q=high', true],
    [undefined, false],
    ['', false],
    ['*/*', false],
    ['text/*', false],
    ['application/json', false],
    ['text/event-stream;q=0', false],
    ['text/event-stream;q=0.000', false],
    ['text/event-stream;q=0.5, application/json', false],
    ['text/event-stream;q=0.5, */*;q=0.6', false],
    ['text/event-stream;q=0.5, application/*', false],
    ['text/event-streams', false],
    ['application/json; profile="text/event-stream"', false],
  ])('%s: %s', (header, accepts) => {
    expect(acceptsEventStream(header)).toBe(accepts)
  })
})
