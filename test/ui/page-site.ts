import type { Browser, Page } from 'playwright-core'
import { expect } from 'vitest'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type BatonApi, type ConfigInput, openBaton } from '../support/open-baton.ts'
import { patience } from '../support/patience.ts'
import { openBrowser, openTab, phone, signIn, type Tab, type TabOptions, wide } from './browser.ts'

/** A Baton with its page, three simulated providers, and a browser. */
export interface PageSite {
  readonly baton: BatonApi
  readonly browser: Browser
  readonly sims: readonly SimProvider[]
  /** A tab that is signed in and shows that path. `isAlone`: by a session that no other tab has. */
  open(path: string, options?: SiteTabOptions): Promise<Tab>
  /** Looks at each path as axe does, light and dark, and that on a phone nothing is wider than the window. */
  checkAccess(paths: readonly string[], ready: (page: Page, path: string) => Promise<void>): Promise<void>
  stop(): Promise<void>
}

export type SiteTabOptions = Pick<TabOptions, 'expects'> & { readonly isAlone?: boolean }

/** `first` falls back to `second`, and that to `third`. The operator is of the tenant `ops`. On another Redis than the run's where given. */
export const openPageSite = async (more: ConfigInput = {}, redisUrl?: string): Promise<PageSite> => {
  const sims = [createSimProvider(), createSimProvider(), createSimProvider()]
  await Promise.all(sims.map(sim => sim.start()))
  const breaker = { min_calls: 4, reset: '1s', window: '10s' }
  const recovery = { ramp: '3s', step_interval: '500ms', first_share: 0.3 }
  const provider = (i: number) => ({
    ...{ type: 'openai', base_url: `${sims[i]!.url}/v1`, api_key: `key-${i}` },
    ...{ breaker, recovery },
  })
  const baton = await openBaton({
    level: 'api',
    batches: true,
    webhooks: true,
    ...(redisUrl !== undefined && { redisUrl }),
    config: {
      providers: { first: provider(0), second: provider(1), third: provider(2) },
      models: {
        'gpt-4': { provider: 'first', fallback_to: 'gpt-4.1' },
        'gpt-4.1': { provider: 'second', fallback_to: 'gpt-4o' },
        'gpt-4o': { provider: 'third' },
      },
      api_keys: [
        { key: 'submit-key', tenant: 'a' },
        { key: 'operator-key', tenant: 'ops', role: 'operator' },
      ],
      ui: { enabled: true },
      ...more,
    },
  })
  const browser = await openBrowser()
  let cookies: TabOptions['cookies']
  const open: PageSite['open'] = async (path, { expects, isAlone = false } = {}) => {
    const options = { url: baton.url, ...(expects && { expects }) }
    if (cookies !== undefined && !isAlone) {
      const tab = await openTab(browser, { ...options, cookies })
      await tab.page.goto(path)
      return tab
    }
    // Before it signs in, the session is refused.
    const all = new RegExp(['401', ...(expects ? [expects.source] : [])].join('|'))
    const tab = await openTab(browser, { ...options, expects: all })
    await signIn(tab.page, path)
    if (!isAlone) cookies = await tab.context.cookies()
    return tab
  }
  return {
    ...{ baton, browser, sims, open },
    checkAccess: async (paths, ready) => {
      await using tab = await open(paths[0]!)
      const { page } = tab
      for (const path of paths) {
        await page.goto(path)
        await ready(page, path)
        await tab.checkAccess()
        // The dark scheme changes colours alone, and the phone's layout only where things are.
        await page.emulateMedia({ colorScheme: 'dark' })
        await tab.checkAccess('color-contrast')
        await page.emulateMedia({ colorScheme: 'light' })
        for (const viewport of [phone, wide]) {
          await page.setViewportSize(viewport)
          await expect
            .poll(() => page.evaluate('document.documentElement.scrollWidth - innerWidth'), {
              ...{ ...patience, message: `${path} at ${viewport.width} px` },
            })
            .toBe(0)
        }
      }
    },
    stop: async () => {
      await browser.close()
      await baton.stop()
      await Promise.all(sims.map(sim => sim.stop()))
    },
  }
}
