import type {
  LanguageModelV4Reasoning,
  LanguageModelV4StreamPart,
  SharedV4ProviderMetadata,
} from '@ai-sdk/provider'
import { eventText, type SseEvent } from '../../domain/streaming/sse-event.ts'

export type Part<Type extends LanguageModelV4StreamPart['type']> = Extract<
  LanguageModelV4StreamPart,
  { type: Type }
>
export type ReasoningPart = Part<'reasoning-start' | 'reasoning-delta' | 'reasoning-end'>

/** An event of a format on this side. */
export const eventOf = (body: object, name?: string): SseEvent => {
  const raw = eventText(body, name)
  return { raw, name: name ?? null, data: raw.slice(raw.indexOf('data: ') + 6, -2) }
}

type Metadata = SharedV4ProviderMetadata | undefined

const merged = (before: Metadata, more: Metadata): Metadata => {
  if (before === undefined || more === undefined) return more ?? before
  const vendors = Object.keys(more).map(vendor => [vendor, { ...before[vendor], ...more[vendor] }])
  return { ...before, ...Object.fromEntries(vendors) }
}

/** The reasoning of one answer, put together from its parts: a signature comes beside any of them. */
export class Thoughts {
  readonly #all: LanguageModelV4Reasoning[] = []
  /** By the id in the parts, which vendors use again after its end. */
  readonly #open = new Map<string, LanguageModelV4Reasoning>()

  /** Takes the next part in and gives what it belongs to, as far as it has come. */
  take(part: ReasoningPart): LanguageModelV4Reasoning {
    const thought =
      (part.type === 'reasoning-start' ? undefined : this.#open.get(part.id)) ?? this.#begin(part.id)
    if (part.type === 'reasoning-delta') thought.text += part.delta
    const metadata = merged(thought.providerMetadata, part.providerMetadata)
    if (metadata !== undefined) thought.providerMetadata = metadata
    if (part.type === 'reasoning-end') this.#open.delete(part.id)
    return thought
  }

  /** All of it, in the order in which it began. */
  get all(): readonly LanguageModelV4Reasoning[] {
    return this.#all
  }

  #begin(id: string): LanguageModelV4Reasoning {
    const thought: LanguageModelV4Reasoning = { type: 'reasoning', text: '' }
    this.#all.push(thought)
    this.#open.set(id, thought)
    return thought
  }
}
