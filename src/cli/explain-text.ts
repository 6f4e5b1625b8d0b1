import { explainJob } from '../jobs/explain.ts'
import type { ExplainPart, Sentence } from '../jobs/explain-parts.ts'
import { renderClock, renderTime } from '../terminal/format.ts'

/** What `baton explain` prints: the sentences of `explainJob` as text. */
export interface ExplanationText {
  readonly steps: readonly { readonly at: number; readonly text: string }[]
  readonly waits: string | null
}

const renderPart = (part: ExplainPart): string => {
  if (typeof part === 'string') return part
  if ('target' in part) return part.target
  return part.as === 'clock' ? renderClock(part.time) : renderTime(part.time)
}

export const renderSentence = (parts: Sentence): string => parts.map(renderPart).join('')

export const explainText = (...asked: Parameters<typeof explainJob>): ExplanationText => {
  const { steps, waits } = explainJob(...asked)
  return {
    steps: steps.map(({ at, parts }) => ({ at, text: renderSentence(parts) })),
    waits: waits && renderSentence(waits),
  }
}
