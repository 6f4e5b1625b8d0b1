import { type FaultKind, isFaultKind } from './behaviour.ts'

/** What one call, or `times` calls in a row, meet. */
export interface Step {
  readonly action: FaultKind | 'ok' | 'slow'
  /** `throttle`: how long to stay away; `slow` and `slow-body`: the delay. Null takes the default. */
  readonly ms: number | null
  readonly times: number
}

/** Statuses are easier to remember than names. `fail-529` is a 503 where OpenAI's format is spoken: it has no 529. */
const byStatus: Record<string, FaultKind> = {
  'fail-400': 'bad-request',
  'fail-401': 'bad-key',
  'fail-404': 'unknown-model',
  'fail-429': 'throttle',
  'fail-500': 'error-500',
  'fail-502': 'error-502-html',
  'fail-503': 'error-503',
  'fail-529': 'overloaded',
}

const stepPattern = /^([a-z0-9_-]+?)(?:-(\d+)ms)?(?:x([1-9]\d*))?$/

function parseStep(text: string): Step | null {
  const [, name, ms, times] = stepPattern.exec(text) ?? []
  if (name === undefined) return null
  const action = byStatus[name] ?? name
  if (action !== 'ok' && action !== 'slow' && !isFaultKind(action)) return null
  return { action, ms: ms === undefined ? null : Number(ms), times: Number(times ?? 1) }
}

/**
 * Reads a script, or answers null where the text is none (an ordinary model name, say).
 *
 *     script = step *("-then-" step)
 *     step   = name ["-" milliseconds "ms"] ["x" times]
 *     name   = "ok" | "slow" | a fault kind | "fail-" status
 *
 * `fail-429-then-ok`, `fail-503x2-then-ok`, `throttle-200ms-then-ok`, `slow-200ms`, `hang`. The last step lasts for ever.
 */
export function parseScript(text: string): readonly Step[] | null {
  const steps: Step[] = []
  for (const part of text.split('-then-')) {
    const step = parseStep(part)
    if (step === null) return null
    steps.push(step)
  }
  return steps
}

/** The step that the call with this index (from 0) meets. */
export function stepAt(steps: readonly Step[], index: number): Step {
  let end = 0
  for (const step of steps) {
    end += step.times
    if (index < end) return step
  }
  return steps.at(-1)!
}
