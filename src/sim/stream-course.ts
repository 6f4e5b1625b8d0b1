import type { Outcome } from './call-stats.ts'
import type { StreamPart } from './stream-parts.ts'

/** What goes out at a time, and how long after what went before. */
export interface StreamStep {
  readonly afterMs: number
  readonly bytes: Buffer
}

/** A stream as it goes over the wire, and what becomes of the connection then. */
export interface StreamCourse {
  readonly headers: Record<string, string>
  readonly steps: readonly StreamStep[]
  readonly ending: 'end' | 'stall' | 'reset'
}

export interface StreamPace {
  /** From the opening events to the first content. */
  readonly firstTokenMs: number
  /** Between events of content. */
  readonly tokenGapMs: number
}

/** All up to the middle of what the model says, and at least one piece of it. */
function middleOf(parts: readonly StreamPart[]): number {
  const start = parts.findIndex(({ stage }) => stage === 'content')
  const count = parts.filter(({ stage }) => stage === 'content').length
  return start < 0 ? parts.length : start + Math.ceil(count / 2)
}

/** What is sent of a stream that meets this outcome; `failed` makes the event of an error after so many others. */
function sentOf(
  outcome: Outcome,
  parts: readonly StreamPart[],
  failed: (number: number) => StreamPart,
): readonly StreamPart[] {
  const upTo = (count: number, ...more: StreamPart[]) => [...parts.slice(0, count), ...more]
  switch (outcome) {
    case 'stream-stall':
    case 'stream-reset':
    case 'stream-no-body':
      return []
    case 'stream-stall-midway':
    case 'reset-mid-body':
      return upTo(middleOf(parts))
    case 'stream-error-first':
      return [failed(0)]
    case 'stream-error-after-role':
      return upTo(1, failed(1))
    case 'stream-error-midway':
      return upTo(middleOf(parts), failed(middleOf(parts)))
    case 'stream-no-finish':
      return parts.filter(({ stage }) => stage === 'opening' || stage === 'content')
    case 'stream-no-done':
      return parts.filter(({ stage }) => stage !== 'end')
    default:
      return parts
  }
}

const endingOf = (outcome: Outcome): StreamCourse['ending'] => {
  if (outcome === 'stream-stall' || outcome === 'stream-stall-midway') return 'stall'
  return outcome === 'stream-reset' || outcome === 'reset-mid-body' ? 'reset' : 'end'
}

/** Coprime to most lengths, so that the cuts come to lie in every place: between CR and LF, and inside of characters. */
const packetBytes = 7

function packetsOf(steps: readonly StreamStep[]): readonly StreamStep[] {
  const bytes = Buffer.concat(steps.map(step => step.bytes))
  return Array.from({ length: Math.ceil(bytes.length / packetBytes) }, (_, index) => ({
    afterMs: 0,
    bytes: bytes.subarray(index * packetBytes, (index + 1) * packetBytes),
  }))
}

/** All but the last event, and a half of that one's bytes. */
function cutShort(steps: readonly StreamStep[]): readonly StreamStep[] {
  const kept = steps.slice(0, Math.ceil(steps.length / 2))
  const last = kept.at(-1)
  return last
    ? [...kept.slice(0, -1), { ...last, bytes: last.bytes.subarray(0, last.bytes.length >> 1) }]
    : []
}

export interface StreamPlan {
  readonly outcome: Outcome
  readonly headers: Record<string, string>
  readonly parts: readonly StreamPart[]
  readonly failed: (number: number) => StreamPart
  readonly pace: StreamPace
  /** The delay that the outcome itself brings. */
  readonly delayMs: number
}

/** Lays down how a streamed answer goes out, in good order or as its fault has it. */
export function streamCourse({ outcome, headers, parts, failed, pace, delayMs }: StreamPlan): StreamCourse {
  const sent = sentOf(outcome, parts, failed)
  const first = sent.findIndex(({ stage }) => stage === 'content')
  const late = outcome === 'slow-body' ? middleOf(sent) : -1
  const firstTokenMs = outcome === 'stream-slow-first' ? delayMs : pace.firstTokenMs
  const gapMs = outcome === 'stream-slow-tokens' ? delayMs : pace.tokenGapMs
  const lineEnd = outcome === 'stream-crlf' ? '\r\n' : '\n'
  const afterMs = (index: number): number => {
    if (index === late) return delayMs
    if (index === first) return firstTokenMs
    return sent[index]!.stage === 'content' ? gapMs : 0
  }
  const steps = sent.map(
    ({ text }, index): StreamStep => ({
      afterMs: afterMs(index),
      bytes: Buffer.from(lineEnd === '\n' ? text : text.replaceAll('\n', lineEnd)),
    }),
  )
  const wire =
    outcome === 'stream-packets' ? packetsOf(steps) : outcome === 'truncated' ? cutShort(steps) : steps
  return { headers, steps: wire, ending: endingOf(outcome) }
}
