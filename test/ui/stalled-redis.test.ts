import { afterAll, beforeAll, expect, it } from 'vitest'
import { patience } from '../support/patience.ts'
import { type OwnRedis, ownRedis } from '../support/redis.ts'
import { openPageSite, type PageSite } from './page-site.ts'

let redis: OwnRedis
let site: PageSite
beforeAll(async () => {
  redis = await ownRedis()
  site = await openPageSite({}, redis.url)
})
afterAll(async () => {
  await site?.stop()
  await redis?.stop()
})

it('asks again by itself while Redis gives no answer, and does what was wanted once there is one', async () => {
  await using tab = await site.open('/ui/providers/second')
  const { page } = tab
  await page.getByRole('button', { name: 'Pause' }).click()
  const refused = (part: string) =>
    page.waitForResponse(answer => answer.status() === 503 && answer.url().includes(part), patience)
  redis.freeze()
  try {
    const isTold = refused('/pause')
    await page.getByRole('button', { name: 'Pause second' }).click()
    await isTold
  } finally {
    redis.thaw()
  }
  await page.getByText('second is paused').first().waitFor(patience)
  redis.freeze()
  try {
    const isTold = refused('/usage')
    await page.getByRole('navigation').getByRole('link', { name: 'Cost' }).click()
    await isTold
    // Longer than a reading waits before it is told.
    await page.getByText('redis_unavailable').first().waitFor(patience)
  } finally {
    redis.thaw()
  }
  await page.getByText('redis_unavailable').waitFor({ ...patience, state: 'detached' })
  await page.getByText('Input tokens').first().waitFor(patience)
  expect(await page.getByRole('alert').count()).toBe(0)
})
