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
 * The known capabilities; an absent one is unknown, and then worth a call. `reasoning`, whether a model
 * thinks before it answers, keeps no request out: it decides how the request is written.
 */
export type Capabilities = Readonly<Partial<Record<Capability | 'reasoning', boolean | undefined>>>

/** How errors name a capability to clients. */
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
