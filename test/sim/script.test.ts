import { describe, expect, test } from 'vitest'
import { faultKinds } from '../../src/sim/behaviour.ts'
import { parseScript, stepAt } from '../../src/sim/script.ts'

const step = (action: string, ms: number | null = null, times = 1) => ({ action, ms, times })

describe('scripts of the simulated provider', () => {
  test.each([
    ['ok', [step('ok')]],
    ['hang', [step('hang')]],
    ['reset-mid-body', [step('reset-mid-body')]],
    ['slow-200ms', [step('slow', 200)]],
    ['slow-body-50ms', [step('slow-body', 50)]],
    ['slow-200msx2-then-hang', [step('slow', 200, 2), step('hang')]],
    ['fail-429-then-ok', [step('throttle'), step('ok')]],
    ['fail-429-200ms-then-ok', [step('throttle', 200), step('ok')]],
    ['fail-503x2-then-ok', [step('error-503', null, 2), step('ok')]],
    ['error-502-html-then-fail-529', [step('error-502-html'), step('overloaded')]],
    ['insufficient_quotax3', [step('insufficient_quota', null, 3)]],
  ])('%s is read as a script', (text, steps) => {
    expect(parseScript(text)).toEqual(steps)
  })

  test.each([...faultKinds])('the fault %s can be scripted by its name', kind => {
    expect(parseScript(`${kind}-then-ok`)).toEqual([step(kind), step('ok')])
  })

  test.each(['gpt-4', 'claude-3-sonnet', 'fail-418', 'okx0', 'fail-429-then-', '', 'ok-then-gpt-4', 'OK'])(
    '%j is no script',
    text => {
      expect(parseScript(text)).toBeNull()
    },
  )

  test('steps last as long as they say, and the last one for ever', () => {
    const steps = parseScript('fail-503x2-then-hang-then-ok')!
    expect([0, 1, 2, 3, 4, 99].map(index => stepAt(steps, index).action)).toEqual([
      'error-503',
      'error-503',
      'hang',
      'ok',
      'ok',
      'ok',
    ])
  })
})
