import { describe, expect, it } from 'vitest'
import { type ProviderStanding, type TroubleFacts, troublesOf } from '../../src/health/troubles.ts'

const provider = (more: Partial<ProviderStanding> = {}): ProviderStanding => ({
  ...{ name: 'openai', state: 'healthy', since: null, reason: null, queue: { waiting: 7 }, entries: [] },
  ...{ workers: [{}], without_worker_since: null, ...more },
})
const facts = (more: Partial<TroubleFacts> = {}): TroubleFacts => ({
  ...{ providers: [provider()], batches: [], deadLetters: 0, redis: null, blobStore: null, clockOff: null },
  configs: null,
  ...more,
})
const inShort = (more: Partial<TroubleFacts>): string[] =>
  troublesOf(facts(more)).map(({ code, level, subject }) => `${level} ${code} ${subject ?? ''}`.trim())

const entry = (scope: string, state: string) => ({ scope, state, since: 5, reason: 'why' })

describe('troubles', () => {
  it('are none while all is well', () => {
    expect(troublesOf(facts({ providers: [provider(), provider({ state: 'recovering' })] }))).toEqual([])
  })

  it('name what it is about, since when, why, and what it holds up', () => {
    const away = provider({ state: 'down', since: 3, reason: 'http_503' })
    expect(troublesOf(facts({ providers: [away] }))).toEqual([
      { code: 'provider_away', level: 'bad', subject: 'openai', since: 3, count: 7, reason: 'http_503' },
    ])
  })

  it.each<[string, Partial<TroubleFacts>, string[]]>([
    [
      'a throttled provider',
      { providers: [provider({ state: 'throttled' })] },
      ['warn provider_away openai'],
    ],
    ['a paused one', { providers: [provider({ state: 'paused' })] }, ['hold provider_paused openai']],
    ['processes on different configs', { configs: { reason: 'a, b', since: 5 } }, ['warn configs']],
    ['one without a worker', { providers: [provider({ workers: [] })] }, ['bad no_worker openai']],
    [
      'one without a worker, and with work for two',
      { providers: [provider({ workers: [], workers_wanted: 2 })] },
      ['bad no_worker openai'],
    ],
    [
      'one that has none, and nothing to do',
      { providers: [provider({ workers: [], workers_wanted: 0 })] },
      [],
    ],
    [
      'a key, and a model',
      {
        providers: [
          provider({ entries: [entry('key:openai#ab', 'stopped'), entry('target:openai/m', 'stopped')] }),
        ],
      },
      ['bad key_stopped openai#ab', 'bad model_stopped openai/m'],
    ],
    [
      'a model that is away',
      {
        providers: [
          provider({ entries: [entry('target:openai/m', 'down'), entry('target:openai/n', 'recovering')] }),
        ],
      },
      ['bad provider_away openai/m'],
    ],
    [
      'a model of a provider that is away as a whole',
      { providers: [provider({ state: 'down', entries: [entry('target:openai/m', 'down')] })] },
      ['bad provider_away openai'],
    ],
    [
      'a batch',
      { batches: [{ id: 'batch_1', blocked: { reason: 'paused', since: 1 }, atRiskSince: 2, open: 3 }] },
      ['bad batch_blocked batch_1', 'warn deadline_at_risk batch_1'],
    ],
    [
      'what all stand on',
      { redis: { reason: 'away', since: 1 }, blobStore: 'storage_full', clockOff: 9, deadLetters: 2 },
      ['bad redis', 'bad blob_store', 'warn clock', 'warn dead_letters'],
    ],
  ])('of %s', (_, given, expected) => {
    expect(inShort(given)).toEqual(expected)
  })

  it('stand worst first, then by how long they last', () => {
    const providers = [
      provider({ name: 'a', state: 'paused', since: 1 }),
      provider({ name: 'b', state: 'down', since: 9 }),
      provider({ name: 'c', state: 'down', since: 4 }),
    ]
    expect(inShort({ providers, deadLetters: 1 })).toEqual([
      ...['bad provider_away c', 'bad provider_away b', 'warn dead_letters', 'hold provider_paused a'],
    ])
  })
})
