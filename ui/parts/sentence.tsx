import type { ExplainPart } from '../../src/jobs/explain-parts.ts'
import { Time } from './time.tsx'

/** A sentence of `baton explain`: its targets lead to their providers, its times show their date. */
export const Sentence = ({ parts }: { readonly parts: readonly ExplainPart[] }) => (
  <bdi>
    {parts.map((part, i) => {
      if (typeof part === 'string') return part
      if ('time' in part) return <Time key={i} at={part.time} />
      const [provider] = part.target.split('/', 1)
      return (
        <a key={i} href={`/ui/providers/${encodeURIComponent(provider!)}`}>
          {part.target}
        </a>
      )
    })}
  </bdi>
)
