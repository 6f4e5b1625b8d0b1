import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Endpoint } from '../../../src/domain/endpoint.ts'
import { chatProbes, messageProbes } from '../../docs/translation/probes.ts'
import { replyOf, settingsOf } from '../../docs/translation/targets.ts'
import { openProvider, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'

const sdk = join(import.meta.dirname, '../../../node_modules/@ai-sdk')

/** Every name of a model that the AI SDK's package writes in its types. */
const modelsIn = (pack: string, pattern: RegExp): string[] => {
  const text = readFileSync(join(sdk, pack, 'dist/index.d.ts'), 'utf8')
  return [...new Set([...text.matchAll(pattern)].map(([, model]) => model!))].toSorted()
}

/** One of each family is enough where dates alone tell models apart. */
const undated = (models: readonly string[]): string[] =>
  models.filter(model => !/-\d{4}-\d{2}-\d{2}|-\d{8}$|-preview-\d\d-/.test(model))

const types: readonly (readonly [type: string, endpoint: Endpoint, models: readonly string[]])[] = [
  ['anthropic', '/v1/chat/completions', undated(modelsIn('anthropic', /["'](claude-[\w.-]+)["']/g))],
  ['openai', '/v1/messages', undated(modelsIn('openai', /["']((?:gpt-|o\d)[\w.-]*)["']/g))],
  ['google', '/v1/chat/completions', undated(modelsIn('google', /["'](gem(?:ini|ma)-[\w.-]+)["']/g))],
  [
    'mistral',
    '/v1/chat/completions',
    undated(modelsIn('mistral', /["']((?:mi[ns]istral|mistral|zai|magistral)-[\w.-]+)["']/g)),
  ],
  [
    'bedrock',
    '/v1/chat/completions',
    modelsIn('amazon-bedrock', /["']((?:anthropic|openai|amazon)\.[\w.:-]+)["']/g),
  ],
]

/** Fields that only some models of a type take. */
const telling =
  /^(?:temperature|top_|reasoning_effort|output_config|thinking|max_tokens|presence|tool|response_format|stop)/

/** Models that answer chats, by the names of the others. */
const isChat = (model: string): boolean =>
  !/image|tts|audio|transcribe|realtime|embed|live|computer|canvas|reel|titan|whisper|sora|instruct|nova-sonic/.test(
    model,
  )

describe('known models and the AI SDK', () => {
  test.each(types)(
    'what is said of the models of %s is what the AI SDK knows of them',
    async (type, endpoint, all) => {
      const models = all.filter(isChat)
      expect(models.length).toBeGreaterThan(5)
      const upstream = await openUpstream(answering(200, replyOf(type)))
      const { settings, key } = await settingsOf(type, upstream.url)
      const provider = openProvider(settings)
      const refused: string[] = []
      for (const model of models) {
        for (const { field, value, body } of endpoint === '/v1/messages' ? messageProbes : chatProbes) {
          if (!telling.test(field)) continue
          if (provider.carriage(endpoint, model, body).excluded.length > 0) continue
          const outcome = await provider.call(requestOf(endpoint, body, { model, adjust: true, apiKey: key }))
          if (outcome.kind === 'answer' && outcome.status === 400)
            refused.push(`${model} ${field} ${value}: ${outcome.text}`)
        }
      }
      expect(refused).toEqual([])
    },
  )
})
