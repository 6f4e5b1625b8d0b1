import type { AnswerContext } from './answer.ts'
import { jsonAt } from './read-request.ts'

const defaultDimensions = 8

/** Points a text at a direction of its own: equal texts agree, others hardly ever do. */
function vectorOf(text: string, dimensions: number): number[] {
  let hash = 2_166_136_261 // FNV-1a
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16_777_619)
  const vector = Array.from({ length: dimensions }, (_, i) => Math.sin(hash + i * i))
  const length = Math.hypot(...vector)
  return vector.map(part => part / length)
}

/** A text, a list of texts, the tokens of a text, or a list of those: one string for each vector to make. */
function inputsOf(input: unknown): readonly string[] {
  if (!Array.isArray(input) || typeof input[0] === 'number') return [textOf(input)]
  return input.map(textOf)
}

const textOf = (input: unknown): string => (typeof input === 'string' ? input : JSON.stringify(input ?? ''))

export function embeddings({ request, answer }: AnswerContext) {
  const dimensions = Number(jsonAt(request.body, 'dimensions') ?? defaultDimensions)
  // The official client asks for base64 on its own account and decodes it, so both forms are in real use.
  const inBase64 = jsonAt(request.body, 'encoding_format') === 'base64'
  const shape = (vector: number[]) =>
    inBase64 ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector
  const inputs = answer.kind === 'empty' ? [] : inputsOf(jsonAt(request.body, 'input'))
  return {
    object: 'list',
    data: inputs.map((text, index) => ({
      object: 'embedding',
      index,
      embedding: shape(vectorOf(text, dimensions)),
    })),
    model: request.model,
    usage: { prompt_tokens: request.inputTokens, total_tokens: request.inputTokens },
  }
}
