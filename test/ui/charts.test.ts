import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { patience } from '../support/patience.ts'
import { writeHour } from './history-rows.ts'
import { openPageSite, type PageSite } from './page-site.ts'

let site: PageSite
beforeAll(async () => {
  site = await openPageSite()
  await writeHour(site.baton)
})
afterAll(() => site?.stop())

describe('charts in a browser', () => {
  it('draw the last hour and tell it in words and in a table, and the strip says when a provider was away', async () => {
    await using tab = await site.open('/ui')
    const { page, loaded } = tab
    const rates = page.getByRole('region', { name: 'Rates of the last hour' })
    await rates.locator('canvas').waitFor(patience)
    // This Baton writes a row of its own where a minute ends, and knows no rate before its second.
    await expect
      .poll(() => rates.getByRole('img').getAttribute('aria-label'), patience)
      .toMatch(/now accepted ([\d.]+\/s|—)/)
    await expect
      .poll(async () => {
        await rates.getByRole('img').press('ArrowLeft')
        return rates.locator('.legend').textContent()
      }, patience)
      .toMatch(/accepted [\d.]+\/s/)
    await rates.getByText('As a table').click()
    await expect.poll(() => rates.getByRole('row').count(), patience).toBeGreaterThan(40)
    await rates.getByText('As a table').click()
    const strip = page.getByRole('row').filter({ hasText: 'first' }).getByRole('img')
    await expect
      .poll(() => strip.getAttribute('aria-label'), patience)
      .toMatch(/away from \d\d:\d\d:00 to \d\d:\d\d:00/)
    await tab.checkAccess()
    const files = [...loaded].filter(([path]) => path.startsWith('/ui') && path !== '/ui/session')
    expect(files.reduce((sum, [, size]) => sum + size, 0)).toBeLessThan(90_000)
  })

  it('show a provider over the time that is chosen', async () => {
    await using tab = await site.open('/ui/providers/first')
    const { page } = tab
    await page.getByRole('region', { name: 'Time of a call' }).locator('canvas').waitFor(patience)
    await page.getByRole('link', { name: '24h' }).click()
    await page.getByRole('region', { name: 'Calls' }).locator('canvas').waitFor(patience)
    expect(new URL(page.url()).search).toBe('?range=24h')
  })
})

describe('keys and the search', () => {
  it('lead to screens, into rows and along a list, and change nothing', async () => {
    const { baton } = site
    const ids = await Promise.all(Array.from({ length: 3 }, () => baton.chat('gpt-4o', { tenant: 'ops' })))
    await Promise.all(ids.map(baton.ended))
    await using tab = await site.open('/ui')
    const { page } = tab
    await page.getByRole('navigation').getByRole('link', { name: 'Jobs' }).waitFor(patience)
    await page.keyboard.press('g')
    await page.keyboard.press('j')
    const rows = page.getByRole('region', { name: 'Jobs' }).locator('tbody tr')
    await expect.poll(() => rows.count(), patience).toBe(3)
    const shown = await rows.locator('a').evaluateAll(links => links.map(link => link.getAttribute('title')))
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: shown[1]! }).waitFor(patience)
    await page.keyboard.press(']')
    await page.getByRole('heading', { level: 1, name: shown[2]! }).waitFor(patience)
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor(patience)
    await tab.checkAccess()
    await page.keyboard.press('Escape')
    await page.keyboard.press('/')
    await page.keyboard.type('first')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'first' }).waitFor(patience)
    await page.getByLabel('Search').fill('provider:third')
    await page.getByLabel('Search').press('Enter')
    await expect.poll(() => rows.count(), patience).toBe(3)
    await page.getByLabel('Search').fill(ids[0]!)
    await page.getByLabel('Search').press('Enter')
    await page.getByRole('heading', { level: 1, name: ids[0]! }).waitFor(patience)
  })
})
