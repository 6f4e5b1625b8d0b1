import { join } from 'node:path'
import { build } from 'esbuild'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, openTestApi, type TestApi } from '../api/test-api.ts'
import { openBrowser, openTab } from './browser.ts'

/** What a page may do with the client. */
const program = `
  import { Baton } from './client.ts'
  import { verifyWebhook } from './webhooks.ts'
  const use = async () => {
    const baton = new Baton({ baseUrl: location.origin, apiKey: 'a-key' })
    const body = { model: 'gpt-4', messages: [{ role: 'user', content: 'hi' }] }
    const { id, status } = await baton.submit(body)
    const { status: end } = await baton.jobs.cancel(id)
    const code = await baton.submit({ ...body, model: 'gpt-9' }).catch(error => error.code)
    const secret = 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz'
    return [status, end, code, await verifyWebhook('{}', new Headers(), { secret }).catch(error => error.code)]
  }
  export const result = use()
`

let api: TestApi
let browser: Browser
beforeAll(async () => {
  api = await openTestApi({ config: { api_keys: [{ key: 'a-key', tenant: 'a' }] } })
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await api?.[Symbol.asyncDispose]()
})

describe('the reference of the API', () => {
  it('asks for a key, shows each operation, and tries one with it, without another host', async () => {
    // Before it has a key, the description is refused.
    await using tab = await openTab(browser, { url: api.url, expects: /401/ })
    const { page } = tab
    await page.goto('/docs')
    await page.getByLabel('API key').fill('wrong')
    await page.getByRole('button', { name: 'Show' }).click()
    await page.getByText('The API key is missing or wrong.').waitFor()
    await page.getByLabel('API key').fill('a-key')
    await page.getByRole('button', { name: 'Show' }).click()
    const operation = page.locator('.opblock', { hasText: '/v1/models' }).first()
    await operation.waitFor()
    const { json } = await call(api, 'GET', '/openapi.json', { headers: { 'x-api-key': 'a-key' } })
    const described = Object.values(json.paths as Record<string, object>).flatMap(path => Object.keys(path))
    const sent = Object.keys(json.webhooks)
    expect(await page.locator('.opblock').count()).toBe(described.length + sent.length)
    await page.locator('.opblock', { hasText: 'job.succeeded' }).waitFor()
    await operation.getByText('List').first().click()
    await operation.getByRole('button', { name: 'Try it out' }).click()
    await operation.getByRole('button', { name: 'Execute' }).click()
    await operation.locator('.live-responses-table').getByText('"gpt-4"').first().waitFor()
    // On a phone nothing is wider than the window.
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0)
  })

  it('is served with a policy of its own, to everybody, unless the config says no', async () => {
    const { status, headers } = await call(api, 'GET', '/docs')
    expect(status).toBe(200)
    const policy = headers.get('content-security-policy')!
    expect(policy).toContain("script-src 'self'")
    expect(policy).not.toContain('unsafe')
    await using without = await openTestApi({ config: { server: { docs: false } } })
    expect((await call(without, 'GET', '/docs')).status).toBe(404)
  })
})

it('the client runs in a browser, which has nothing of Node', async () => {
  const { outputFiles } = await build({
    ...{
      stdin: { contents: program, resolveDir: join(import.meta.dirname, '../../src/client') },
      bundle: true,
    },
    ...{ format: 'iife', globalName: 'tried', platform: 'neutral', write: false },
  })
  await using tab = await openTab(browser, { url: api.url, expects: /40[14]/ })
  await tab.page.goto('/docs')
  const result = tab.page.evaluate(`${outputFiles[0]!.text}; tried.result`)
  expect(await result).toEqual(['queued', 'cancelled', 'unknown_model', 'missing_headers'])
})
