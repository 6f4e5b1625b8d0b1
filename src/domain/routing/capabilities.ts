/** What a model may or may not be able to do, by the names that the config uses. */
export const capabilities = [
  'vision',
  'audio',
  'documents',
  'tools',
  'json_mode',
  'json_schema',
  'n',
  'logprobs',
] as const

export type Capability = (typeof capabilities)[number]

/**
 * What is known; a capability that is absent is unknown, and then worth a call. `reasoning`, whether a model thinks before it
 * answers, keeps no request out: it tells how one is worded.
 */
export type Capabilities = Readonly<Partial<Record<Capability | 'reasoning', boolean | undefined>>>

/** As a client is told what its request needs. */
export const capabilityNames: Readonly<Record<Capability, string>> = {
  vision: 'image input (vision)',
  audio: 'audio',
  documents: 'documents',
  tools: 'tools',
  json_mode: 'JSON mode',
  json_schema: 'a JSON schema',
  n: 'several choices (n)',
  logprobs: 'logprobs',
}
