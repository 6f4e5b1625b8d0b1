import { describe, expect, it } from 'vitest'
import { parsePrefer } from '../../../src/api/http/preferences.ts'

describe('the Prefer header', () => {
  it.each([
    [undefined, false, null],
    ['', false, null],
    ['respond-async', true, null],
    ['Respond-Async', true, null],
    ['wait=30', false, 30],
    ['wait = "30"', false, 30],
    ['respond-async, wait=10', true, 10],
    ['return=minimal, wait=5; x', false, 5],
    ['wait=-1', false, null],
    ['wait=soon', false, null],
    ['wait=30s', false, null],
    ['xwait=30', false, null],
    ['wait=99999999999999', false, null],
  ])('%j', (header, respondAsync, waitSeconds) => {
    expect(parsePrefer(header)).toEqual({ respondAsync, waitSeconds })
  })
})
