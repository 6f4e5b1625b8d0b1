import { expect, test } from 'vitest'
import { metricsOf } from '../../src/api/metrics.ts'
import { closedCircuit } from '../../src/domain/circuit.ts'
import { readDoc, tableAfter } from './markdown.ts'

test('docs/metrics.md has every metric with its labels', () => {
  const counts = { attempts: { ok: 1 }, handovers: 0, parks: 0, ends: { succeeded: 0, failed: 0 } }
  const metrics = metricsOf({
    accepted: 0,
    waiting: new Map([['webhooks', 0]]),
    circuits: [closedCircuit('a')],
    entries: [{ scope: 'key:a#1', state: 'stopped' }],
    workers: [
      {
        ...{ provider: 'a', instance: 'i', pid: 1, breaker: 'closed', callsInFlight: 0, concurrency: 1 },
        ...{ seenAtMs: 0, counts },
      },
    ],
    unmannedSinceMs: new Map([['a', 0]]),
    webhookWorkers: [{ instance: 'i', counts: { delivered: 0, failed: 0, dead: 0 }, seenAtMs: 0 }],
    processes: [{ instance: 'i', ends: { cancelled: 0, expired: 0 }, seenAtMs: 0 }],
    deadLetters: 0,
    agenda: 0,
    held: { bytes: 0, connections: 0, waiting: { answer: 0 }, refusals: { bytes: 0 } },
    memory: { usedBytes: 0, limitBytes: 0, isFull: false },
    process: { residentBytes: 0, cpuSeconds: 0, startedAtSeconds: 0 },
  })
  const own = metrics.filter(({ name }) => name.startsWith('baton_'))
  const rows = own.map(({ name, samples }) => [
    `\`${name}\``,
    Object.keys(samples[0]!.labels ?? {})
      .map(label => `\`${label}\``)
      .join(', '),
  ])
  const told = tableAfter(readDoc('docs/metrics.md'), '| metric |').map(([name, labels]) => [name, labels])
  expect(told.slice(0, -1)).toEqual(rows)
})
