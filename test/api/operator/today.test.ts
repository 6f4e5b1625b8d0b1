import { describe, expect, it } from 'vitest'
import { createBlobWatch } from '../../../src/api/operator/blob-watch.ts'
import { hoursOfToday } from '../../../src/api/operator/usage-figures.ts'
import { BlobStoreError } from '../../../src/files/blobs/blob-store.ts'
import { patience } from '../../support/patience.ts'
import { call, endJob, openTestApi, submitJob } from '../test-api.ts'
import { openPage } from './page-events.ts'

const answer = { statusCode: 200, body: '{}' }
const usage = { input_tokens: 1_000_000, output_tokens: 0 }
const at = (text: string): number => Date.parse(text)
const hourOf = (text: string): number => at(text) / 3_600_000

describe('what today has cost', () => {
  it('is the sum of all tenants since midnight, and goes out as it grows', async () => {
    await using api = await openTestApi()
    await using page = await openPage(api.url, 'overview')
    const jobs = [await submitJob(api), await submitJob(api)]
    const cost = { status: 'succeeded', response: answer, usage } as const
    await endJob(api, jobs[0]!.id, { ...cost, costUsd: 2.5 })
    await endJob(api, jobs[1]!.id, { ...cost, costUsd: null })
    await expect
      .poll(() => page.last('tick'), patience)
      .toMatchObject({ cost_today_usd: 2.5, unpriced_today: 1 })
    expect((await call(api, 'GET', '/v1/admin/overview')).json).toMatchObject({ cost_today_usd: 2.5 })
  })

  it('begins when the day does in the zone of the page', () => {
    const now = at('2026-11-29T20:30:00Z')
    expect(hoursOfToday('UTC', now)).toEqual({
      ...{ from: hourOf('2026-11-29T00:00:00Z'), to: hourOf('2026-11-29T20:00:00Z') },
    })
    expect(hoursOfToday('Europe/Berlin', now).from).toBe(hourOf('2026-11-28T23:00:00Z'))
    expect(hoursOfToday('Asia/Tokyo', now).from).toBe(hourOf('2026-11-29T15:00:00Z'))
  })
})

describe('a place of files that cannot be reached', () => {
  it('is told without being waited for, and until it is well', async () => {
    let nowMs = 0
    let fails = true
    const check = async (): Promise<void> => {
      if (fails) throw new BlobStoreError('the bucket is not there', null)
    }
    const reason = createBlobWatch({ check }, () => nowMs)
    expect(reason()).toBeNull()
    await expect.poll(reason, patience).toBe('the bucket is not there')
    fails = false
    expect(reason()).toBe('the bucket is not there')
    nowMs += 60_000
    await expect.poll(reason, patience).toBeNull()
  })

  it('is a trouble of the overview', async () => {
    const broken = async (): Promise<void> => {
      throw new BlobStoreError('the disk is full', null)
    }
    await using api = await openTestApi({ blobs: disk => ({ ...disk, check: broken }) })
    const troubles = async () => (await call(api, 'GET', '/v1/admin/overview')).json.troubles
    await expect
      .poll(troubles, patience)
      .toContainEqual(
        expect.objectContaining({ code: 'blob_store', level: 'bad', reason: 'the disk is full' }),
      )
  })
})
