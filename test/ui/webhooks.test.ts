import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { patience } from '../support/patience.ts'
import { startReceiver } from '../webhooks/receiver.ts'
import { takePictures } from './browser.ts'
import { openPageSite, type PageSite } from './page-site.ts'

let site: PageSite
beforeAll(async () => {
  const webhooks = { secret: `whsec_${'A'.repeat(32)}`, allowed_networks: ['127.0.0.0/8'] }
  site = await openPageSite({ webhooks })
})
afterAll(() => site?.stop())

describe('webhooks in a browser', () => {
  it('shows those that were given up without what their address may hide, and sends one again', async () => {
    let status = 410
    const receiver = await startReceiver((_, response) => response.writeHead(status).end())
    const { baton } = site
    const url = `${receiver.url}/hook?token=hidden`
    await baton.ended(await baton.chat('gpt-4o', { tenant: 'ops', webhook: { url } }))
    await using tab = await site.open('/ui/webhooks')
    const { page } = tab
    const row = page.getByRole('region', { name: 'Dead letters' }).locator('tbody tr')
    await row.getByText('gone').waitFor(patience)
    expect(await row.textContent()).not.toContain('hidden')
    await takePictures(page, 'webhooks')
    await tab.checkAccess()
    status = 200
    await row.getByRole('button', { name: 'Replay' }).click()
    await page.getByRole('button', { name: 'Send it again' }).click()
    await page.getByText('No webhook was given up.').waitFor(patience)
    await expect.poll(() => receiver.deliveries.length, patience).toBe(2)
  })
})
