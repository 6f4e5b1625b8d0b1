import { pino } from 'pino'
import { expect, it, onTestFinished } from 'vitest'
import { until } from '../../harness/until.ts'
import { type AnsweredModels, createAnsweredModels, mostAnswered } from '../../src/health/answered-models.ts'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { testRedis } from '../support/redis.ts'

const log = pino({ level: 'silent' })
const { url, prefix } = testRedis()
const nowMs = 1_000_000

/** Those of one more process. */
const open = (changed: () => void = () => undefined): AnsweredModels => {
  const redis = createPatientRedis(url, log)
  const models = createAnsweredModels({ redis, prefix, providers: ['first'], changed, log, now: () => nowMs })
  models.start()
  onTestFinished(async () => {
    await models.stop()
    redis.disconnect()
  })
  return models
}

it('are known where they were answered at once, and in every process soon, also in one that starts later', async () => {
  let changes = 0
  const here = open(() => changes++)
  const there = open()
  here.note('first', 'vendor/a')
  expect([here.has('first', 'vendor/a'), here.has('first', 'b'), changes]).toEqual([true, false, 1])
  here.note('other', 'vendor/a')
  expect(here.has('other', 'vendor/a')).toBe(false)
  await until(() => there.has('first', 'vendor/a'))
  const late = open()
  await until(() => late.has('first', 'vendor/a'))
})

it('are the latest of however many names, and their circuits go with those that are forgotten', async () => {
  const redis = createPatientRedis(url, log)
  onTestFinished(() => redis.disconnect())
  const [circuits, windows] = [`${prefix}:{health}:circuits`, `${prefix}:{health}:windows`]
  for (const model of ['m0', 'm9999', 'named']) {
    await redis.hset(circuits, `first/${model}`, '{}')
    await redis.hset(windows, `first/${model}`, '[]', `~first/${model}`, '{}')
  }
  const models = open()
  for (let i = 0; i < 10_000; i++) models.note('first', `m${i}`)
  const key = `${prefix}:{health}:answered:first`
  await until(async () => (await redis.zcard(key)) === mostAnswered && !models.has('first', 'm0'))
  expect(models.has('first', 'm9999')).toBe(true)
  expect((await redis.hkeys(circuits)).toSorted()).toEqual(['first/m9999', 'first/named'])
  expect((await redis.hkeys(windows)).toSorted()).toEqual(
    ['first/m9999', 'first/named', '~first/m9999', '~first/named'].toSorted(),
  )
})
