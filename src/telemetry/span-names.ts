/**
 * Names of spans, their events and attributes. Those of GenAI are the conventions of open-telemetry/semantic-conventions-genai as
 * of 2026-11, which are in development: when they move, this file does. There is none for queues of calls, handover and
 * parking: these are `baton.*`.
 */
export const attribute = {
  jobId: 'baton.job.id',
  jobStatus: 'baton.job.status',
  batchLine: 'baton.batch.line',
  route: 'baton.route',
  hop: 'baton.hop',
  verdict: 'baton.verdict',
  target: 'baton.target',
  fromTarget: 'baton.target.from',
  resumesInSeconds: 'baton.park.seconds',
  webhookAttempt: 'baton.webhook.attempt',
  webhookOutcome: 'baton.webhook.outcome',

  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  responseModel: 'gen_ai.response.model',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',

  errorType: 'error.type',
  method: 'http.request.method',
  httpRoute: 'http.route',
  statusCode: 'http.response.status_code',
  serverAddress: 'server.address',
  queue: 'messaging.destination.name',
  messagingOperation: 'messaging.operation.type',
  messagingSystem: 'messaging.system',
} as const

export const event = {
  handover: 'baton.handover',
  park: 'baton.park',
  returned: 'baton.return',
} as const

/** What the conventions call the vendor of each type of provider; others go by their own name in the config. */
export const vendorNames: Readonly<Record<string, string>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  azure: 'azure.ai.openai',
  google: 'gcp.gemini',
  vertex: 'gcp.vertex_ai',
  bedrock: 'aws.bedrock',
  cohere: 'cohere',
  mistral: 'mistral_ai',
  deepseek: 'deepseek',
  groq: 'groq',
  perplexity: 'perplexity',
  xai: 'x_ai',
}
