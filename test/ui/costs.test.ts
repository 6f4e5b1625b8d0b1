import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { patience } from '../support/patience.ts'
import { phone, takePictures } from './browser.ts'
import { openPageSite, type PageSite } from './page-site.ts'

const hour = 3_600_000
const day = 24 * hour

let site: PageSite
/** About noon in India, so many days ago there, in hours since 1970. */
const noonOf = (daysAgo: number): number =>
  Math.floor((Math.floor((Date.now() + 5.5 * hour) / day) * day - 5.5 * hour - daysAgo * day) / hour) + 12

/** As the ends of jobs add to it; `d` counts 1e-8 dollars. */
const spend = (hourOf: number, model: string, route: string, amounts: Record<string, number>) =>
  site.baton.context.redis.hset(
    site.baton.context.keys.usage(0, hourOf),
    Object.fromEntries(
      Object.entries(amounts).map(([kind, amount]) => [`${kind}${model}\n${route}`, amount]),
    ),
  )

beforeAll(async () => {
  site = await openPageSite({ ui: { enabled: true, time_zone: 'Asia/Kolkata' } })
  await spend(noonOf(1), 'first/gpt-4', 'chat', {
    r: 1_200,
    i: 90_000,
    c: 4_000,
    o: 30_000,
    d: 1_250_000_000,
    f: 3,
  })
  await spend(noonOf(1), 'second/gpt-4.1', 'chat', { r: 100, i: 9_000, o: 3_000, d: 50_000_000 })
  await spend(noonOf(1), 'third/gpt-4o', 'embed', { r: 40, i: 500, o: 0, u: 40 })
  await spend(noonOf(3), 'third/gpt-4o', 'summarise', { r: 7, i: 700, o: 70, d: 300_000_000 })
  // Tokens by the billion, and less than a cent by far.
  await spend(noonOf(20), 'first/gpt-4', 'chat', { r: 9e8, i: 987_654_321_012, o: 9e11, d: 12 })
})
afterAll(() => site?.stop())

describe('costs in a browser', () => {
  it("shows yesterday's by route at once, and says where days of its zone are cut", async () => {
    await using tab = await site.open('/ui/costs')
    const { page } = tab
    const row = page.getByRole('row').filter({ hasText: 'chat' })
    await row.waitFor(patience)
    expect(await row.textContent()).toContain('$13.00')
    expect(await page.getByRole('row').filter({ hasText: 'embed' }).textContent()).toContain(
      '— + 40 unpriced',
    )
    await page.getByText('days are cut at the next hour of UTC').waitFor(patience)
    const groups = page.locator('tbody td[data-label=Route]')
    const head = page.getByRole('columnheader', { name: 'Route' })
    expect(await head.getAttribute('aria-sort')).toBe('none')
    expect(await head.locator('.order').isVisible()).toBe(true)
    await head.getByRole('button').click()
    await expect.poll(() => groups.allTextContents(), patience).toEqual(['chat', 'embed'])
    await head.getByRole('button').press('Enter')
    await expect.poll(() => groups.allTextContents(), patience).toEqual(['embed', 'chat'])
    expect(await head.getAttribute('aria-sort')).toBe('descending')
    await page.reload()
    await expect.poll(() => groups.allTextContents(), patience).toEqual(['embed', 'chat'])
    await page.setViewportSize(phone)
    await page.getByLabel('Sorted by').selectOption('Route, ascending')
    await expect.poll(() => groups.allTextContents(), patience).toEqual(['chat', 'embed'])
  })

  it('shows several days by provider, and leads to one of them', async () => {
    await using tab = await site.open('/ui/costs')
    const { page } = tab
    await page.getByRole('link', { name: '7 days' }).click()
    await page.getByRole('form', { name: 'Filters' }).getByLabel('By').selectOption('provider')
    const bars = page.getByRole('region', { name: 'Cost by day' })
    await bars.getByText('$3.00').waitFor(patience)
    await takePictures(page, 'costs')
    expect(await page.getByRole('row').count()).toBe(5)
    await page.getByRole('row').filter({ hasText: '$3.00' }).getByRole('link').click()
    await bars.waitFor({ state: 'detached', ...patience })
    await expect.poll(() => page.getByRole('row').count(), patience).toBe(2)
  })

  it('are downloaded as a table that no spreadsheet takes for formulas, and have room for any figure', async () => {
    await spend(noonOf(5), 'third/gpt-4o', '=cmd()', { r: 1, d: 1 })
    await using tab = await site.open('/ui/costs?from=2020-01-01&to=2020-01-02')
    const { page } = tab
    await page.getByText('Nothing was asked').waitFor(patience)
    await page.getByRole('link', { name: '7 days' }).click()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download as CSV' }).click(),
    ])
    const chunks = await Array.fromAsync(await download.createReadStream())
    expect(Buffer.concat(chunks).toString()).toContain(`"'=cmd()"`)
    const day = new Date(noonOf(20) * hour).toISOString().slice(0, 10)
    await page.goto(`/ui/costs?from=${day}&to=${day}`)
    const tokens = page.locator('.figures dd').getByText('987,654,321,012')
    await tokens.waitFor(patience)
    // In one line, within its box.
    expect(await tokens.evaluate(dd => [dd.clientHeight, dd.scrollWidth - dd.clientWidth])).toEqual([28, 0])
    await page.locator('.figures').getByText('$0.00000012').waitFor(patience)
  })

  it('is accessible', async () => {
    await site.checkAccess(['/ui/costs?by=day'], page => page.getByRole('table').waitFor(patience))
  }, 240_000)
})
