import axe, { type AxeResults } from 'axe-core'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { expect, inject } from 'vitest'

/** Of a connection of its own to the run's one browser. */
export const openBrowser = (): Promise<Browser> => chromium.connect(inject('browserUrl'))

export const wide = { width: 1280, height: 800 }
export const phone = { width: 390, height: 844 }

export interface Tab extends AsyncDisposable {
  readonly page: Page
  readonly context: BrowserContext
  /** Bytes that came over the line, compressed as they were, by path. */
  readonly loaded: ReadonlyMap<string, number>
  /** Throws for what axe finds wrong in what the page shows now, by these rules or by all. */
  checkAccess(...rules: readonly string[]): Promise<void>
  /** What no page may do: errors, other hosts, what the policy forbids. */
  readonly faults: readonly string[]
}

export interface TabOptions {
  readonly url: string
  readonly viewport?: { readonly width: number; readonly height: number }
  readonly colorScheme?: 'light' | 'dark'
  /** Errors of the console that this test brings about itself. */
  readonly expects?: RegExp
  /** What it has from before: nothing by default. */
  readonly cookies?: Awaited<ReturnType<BrowserContext['cookies']>>
}

/** A machine that stands still for two seconds makes Redis late. The page asks again, which the console cannot know. */
const passing = /^console: Failed to load resource: .* 503 /

/** A browser of its own. Fails at its end for any fault. */
export const openTab = async (browser: Browser, options: TabOptions): Promise<Tab> => {
  const { url, viewport = wide, colorScheme = 'light', expects, cookies = [] } = options
  const context = await browser.newContext({ viewport, colorScheme, baseURL: url })
  await context.addCookies(cookies)
  const page = await context.newPage()
  const faults: string[] = []
  const loaded = new Map<string, number>()
  const fault = (text: string): void => {
    if (!expects?.test(text) && !passing.test(text)) faults.push(text)
  }
  page.on('console', message => {
    if (message.type() === 'error') fault(`console: ${message.text()}`)
  })
  page.on('pageerror', error => fault(`error: ${error.message}`))
  page.on('request', request => {
    if (new URL(request.url()).origin !== url) fault(`foreign: ${request.url()}`)
  })
  page.on('requestfinished', async request => {
    const sizes = await request.sizes().catch(() => null)
    if (sizes) loaded.set(new URL(request.url()).pathname, sizes.responseBodySize + sizes.responseHeadersSize)
  })
  await page.exposeFunction('violated', (text: string) => fault(`policy: ${text}`))
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', e => violated(e.violatedDirective + ' ' + e.blockedURI))",
  )
  return {
    ...{ page, context, loaded, faults },
    checkAccess: async (...rules) => {
      if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe.source)
      const options = JSON.stringify({
        ...{ resultTypes: ['violations'] },
        ...(rules.length > 0 && { runOnly: { type: 'rule', values: rules } }),
      })
      const { violations } = await page.evaluate<AxeResults>(`axe.run(${options})`)
      const found = violations.flatMap(({ id, nodes }) =>
        nodes.map(node => `${id}: ${node.target.join(' ')}`),
      )
      expect(found).toEqual([])
    },
    [Symbol.asyncDispose]: async () => {
      await context.close()
      expect(faults).toEqual([])
    },
  }
}

/** With the key `operator-key`, at a path that it then leads to. */
export const signIn = async (page: Page, path = '/ui'): Promise<void> => {
  await page.goto(path)
  await page.getByLabel('Operator key').fill('operator-key')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('navigation').waitFor()
}

/** `npm run screenshots` has them made for the docs. */
const pictures = process.env.BATON_PICTURES

export const takePictures = async (page: Page, name: string): Promise<void> => {
  if (pictures === undefined) return
  // What was said last would hide a corner of each.
  const hide = (isHidden: boolean) =>
    page.evaluate(`document.querySelector('.announcer').hidden = ${isHidden}`)
  await hide(true)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await page.screenshot({ path: `${pictures}/ui-${name}-${colorScheme}.png` })
  }
  await hide(false)
}
