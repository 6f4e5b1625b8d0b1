import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openLink } from '../../harness/link.ts'
import type { BatonApi } from '../support/open-baton.ts'
import { patience } from '../support/patience.ts'
import { openTab, phone, signIn, takePictures } from './browser.ts'
import { writeHour } from './history-rows.ts'
import { openPageSite, type PageSite } from './page-site.ts'

let site: PageSite
let baton: BatonApi
beforeAll(async () => {
  site = await openPageSite()
  baton = site.baton
  await writeHour(baton)
})
afterAll(() => site?.stop())

const submit = (count: number) => Promise.all(Array.from({ length: count }, () => baton.chat('gpt-4')))

describe('the page in a browser', () => {
  it('refuses a key that may submit only in a sentence, and shows what a link led to after signing in', async () => {
    await using tab = await openTab(site.browser, { url: baton.url, expects: /40[13]/ })
    const { page } = tab
    await page.goto('/ui/providers/first')
    await page.getByLabel('Operator key').fill('submit-key')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('The page is for operators').waitFor()
    await page.getByLabel('Operator key').fill('operator-key')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { level: 1, name: 'first' }).waitFor()
    expect(new URL(page.url()).pathname).toBe('/ui/providers/first')
  })

  it('loads little, and nothing from another host', async () => {
    await using tab = await openTab(site.browser, { url: baton.url, expects: /401/ })
    const { page, loaded } = tab
    await signIn(page)
    await page.getByRole('table').waitFor()
    const files = [...loaded].filter(([path]) => path.startsWith('/ui') && path !== '/ui/session')
    const bytes = files.reduce((sum, [, size]) => sum + size, 0)
    const usableMs = await page.evaluate('performance.now()')
    console.log(
      `first load ${(bytes / 1_000).toFixed(1)} kB; signed in and usable after ${Math.round(usableMs as number)} ms`,
    )
    expect(files.length).toBeGreaterThan(2)
    expect(bytes).toBeLessThan(90_000)
  })

  it('is accessible from the sign-in on', async () => {
    await using tab = await openTab(site.browser, { url: baton.url, viewport: phone, expects: /401/ })
    await tab.page.goto('/ui')
    await tab.page.getByLabel('Operator key').waitFor(patience)
    await tab.checkAccess()
    await tab.page.emulateMedia({ colorScheme: 'dark' })
    await tab.checkAccess('color-contrast')
    await site.checkAccess(['/ui', '/ui/providers', '/ui/providers/first'], page =>
      page.getByRole('table').first().waitFor(patience),
    )
  })

  it('shows a pause and a return to another browser', async () => {
    await using mine = await site.open('/ui/providers/second', { isAlone: true })
    await using other = await site.open('/ui')
    await mine.page.getByRole('button', { name: 'Pause' }).click()
    await mine.page.getByLabel('Note').fill('bills too much')
    await mine.page.getByRole('button', { name: 'Pause second' }).click()
    await other.page.getByText('second is paused').first().waitFor(patience)
    await other.page.goto('/ui/providers/second')
    await other.page.getByText('by ops: “bills too much”').first().waitFor(patience)
    await mine.page.getByRole('button', { name: 'Resume' }).click()
    await mine.page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click()
    await other.page.locator('.verdict', { hasText: 'All is well' }).waitFor(patience)
  })

  it('follows an outage from the first handover to the full return, without being loaded again', async () => {
    await using tab = await site.open('/ui')
    await using detail = await site.open('/ui/providers/first')
    await tab.page.locator('.verdict', { hasText: 'All is well' }).waitFor(patience)
    site.sims[0]!.script({ fault: { kind: 'error-503' } })
    const during = await submit(12)
    await tab.page
      .getByRole('listitem')
      .filter({ hasText: /first is away \(.+\) since/ })
      .waitFor(patience)
    await Promise.all(during.map(baton.ended))
    await takePictures(tab.page, 'overview')
    await takePictures(detail.page, 'provider')
    const changes = detail.page.getByRole('region', { name: 'Changes' })
    await changes.getByText('away').first().waitFor(patience)
    const [passedOver] = await submit(1)
    await baton.ended(passedOver!)
    await using job = await site.open(`/ui/jobs/${passedOver}`)
    const spells = job.page.locator('.timeline .health title')
    await expect
      .poll(() => spells.allTextContents(), patience)
      .toContainEqual(expect.stringMatching(/^first\/gpt-4 was (away|probing)/))
    site.sims[0]!.script({})
    // Calls are what a provider returns by.
    await expect
      .poll(
        async () => {
          await Promise.all((await submit(6)).map(baton.ended))
          return detail.page.getByRole('region', { name: 'State' }).textContent()
        },
        { timeout: 60_000 },
      )
      .toContain('healthy')
    await changes.getByText('probing').first().waitFor(patience)
    await changes.getByText('returning').first().waitFor(patience)
    await tab.page.locator('.verdict', { hasText: 'All is well' }).waitFor(patience)
  })

  it('says that it is cut off, and how old its figures are, until it is back', async () => {
    const { hostname, port } = new URL(baton.url)
    const link = await openLink({ host: hostname, port: Number(port) })
    try {
      const url = `http://${link.address}`
      await using tab = await openTab(site.browser, { url, expects: /401|ERR_/ })
      await tab.page.clock.install()
      await signIn(tab.page)
      await tab.page.locator('.age', { hasText: 'live' }).waitFor(patience)
      await link.set('shut')
      await tab.page.clock.runFor(8_000)
      await tab.page.locator('main.stale').waitFor(patience)
      await tab.page.clock.runFor(8_000)
      const banner = tab.page.getByText(/^Disconnected, figures of \d\d:\d\d:\d\d$/)
      await banner.waitFor(patience)
      await link.set('open')
      await banner.waitFor({ state: 'detached', timeout: 40_000 })
    } finally {
      await link.close()
    }
  })
})
