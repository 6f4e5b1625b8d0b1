import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openLink } from '../../harness/link.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'
import { patience } from '../support/patience.ts'
import { openBrowser, openTab, phone, signIn, takePictures, wide } from './browser.ts'

const keys = [
  { key: 'submit-key', tenant: 'a' },
  { key: 'operator-key', tenant: 'ops', role: 'operator' },
]

let browser: Browser
let sims: SimProvider[]
let baton: BatonApi
beforeAll(async () => {
  browser = await openBrowser()
  sims = [createSimProvider(), createSimProvider()]
  await Promise.all(sims.map(sim => sim.start()))
  const breaker = { min_calls: 4, reset: '1s', window: '10s' }
  const recovery = { ramp: '3s', step_interval: '500ms', first_share: 0.3 }
  baton = await openBaton({
    level: 'api',
    config: {
      providers: {
        first: { type: 'openai', base_url: `${sims[0]!.url}/v1`, api_key: 'k', breaker, recovery },
        second: { type: 'anthropic', base_url: sims[1]!.url, api_key: 'k', breaker, recovery },
      },
      models: { 'gpt-4': { provider: 'first', fallback_to: 'claude' }, claude: { provider: 'second' } },
      api_keys: keys,
      ui: { enabled: true },
    },
  })
})
afterAll(async () => {
  await browser?.close()
  await baton?.stop()
  await Promise.all(sims.map(sim => sim.stop()))
})

const submit = (count: number) => Promise.all(Array.from({ length: count }, () => baton.chat('gpt-4')))

describe('the page in a browser', () => {
  it('refuses a key that may submit only in a sentence, and shows what a link led to after signing in', async () => {
    await using tab = await openTab(browser, { url: baton.url, expects: /40[13]/ })
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
    await using tab = await openTab(browser, { url: baton.url, expects: /401/ })
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

  it.each([
    ['light', wide],
    ['dark', wide],
    ['light', phone],
    ['dark', phone],
  ] as const)('is accessible, %s at %o', async (colorScheme, viewport) => {
    await using tab = await openTab(browser, { url: baton.url, colorScheme, viewport, expects: /401/ })
    const { page } = tab
    await page.goto('/ui')
    await page.getByLabel('Operator key').waitFor()
    await tab.checkAccess()
    await signIn(page)
    for (const path of ['/ui', '/ui/providers', '/ui/providers/first']) {
      await page.goto(path)
      await page.getByRole('table').first().waitFor()
      await tab.checkAccess()
    }
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
    expect(overflow).toBe(0)
  })

  it('shows a pause and a return to another browser', async () => {
    await using mine = await openTab(browser, { url: baton.url, expects: /401/ })
    await using other = await openTab(browser, { url: baton.url, expects: /401/ })
    await signIn(mine.page, '/ui/providers/second')
    await signIn(other.page, '/ui')
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
    await using tab = await openTab(browser, { url: baton.url, expects: /401/ })
    await using detail = await openTab(browser, { url: baton.url, expects: /401/ })
    await signIn(tab.page)
    await signIn(detail.page, '/ui/providers/first')
    await tab.page.locator('.verdict', { hasText: 'All is well' }).waitFor(patience)
    sims[0]!.script({ fault: { kind: 'error-503' } })
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
    sims[0]!.script({})
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
      await using tab = await openTab(browser, { url, expects: /401|ERR_/ })
      await signIn(tab.page)
      await tab.page.locator('.age', { hasText: 'live' }).waitFor(patience)
      await link.set('shut')
      const banner = tab.page.getByText(/^Disconnected, figures of \d\d:\d\d:\d\d$/)
      await banner.waitFor({ timeout: 40_000 })
      await link.set('open')
      await banner.waitFor({ state: 'detached', timeout: 40_000 })
    } finally {
      await link.close()
    }
  })
})
