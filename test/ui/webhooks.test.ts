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
    const id = await baton.chat('gpt-4o', { tenant: 'a', webhook: { url } })
    await baton.ended(id)
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

    // The job's own page has each try, in its lane and in words.
    await page.goto(`/ui/jobs/${id}`)
    const panel = page.getByRole('region', { name: 'Webhook' })
    await panel.getByText('delivered after 2').waitFor(patience)
    expect(await page.getByRole('main').textContent()).not.toContain('hidden')
    const tries = await panel.getByRole('list', { name: 'Tries' }).getByRole('listitem').allTextContents()
    expect(tries.map(text => /gone_410|answered 200/.exec(text)?.[0])).toEqual(['gone_410', 'answered 200'])
    const lane = page.getByRole('region', { name: 'Timeline' })
    expect([await lane.locator('.try.bad').count(), await lane.locator('.try.ok').count()]).toEqual([1, 1])
    await tab.checkAccess()
  })

  it('sends all of a receiver again, of every tenant, and nothing if the number is another by now', async () => {
    let status = 410
    const receiver = await startReceiver((_, response) => response.writeHead(status).end())
    const { baton } = site
    const fail = async (tenant: string): Promise<void> => {
      await baton.ended(await baton.chat('gpt-4o', { tenant, webhook: { url: `${receiver.url}/hook` } }))
    }
    await Promise.all(['ops', 'a'].map(fail))
    await using tab = await site.open('/ui/webhooks', { expects: /409/ })
    const { page } = tab
    const rows = page.getByRole('region', { name: 'Receivers' }).locator('tbody tr')
    const row = rows.filter({ hasText: new URL(receiver.url).origin })
    const given = row.locator('td[data-label="Given up"]')
    await expect.poll(() => given.textContent(), patience).toBe('2')
    await row.getByRole('button', { name: 'Replay all' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Send 2 again?').waitFor(patience)
    await fail('a')
    await expect.poll(() => given.textContent(), patience).toBe('3')
    status = 200
    await dialog.getByRole('button', { name: 'Send them again' }).click()
    await dialog.getByText('count_changed').waitFor(patience)
    expect(receiver.deliveries.length).toBe(3)
    await dialog.getByRole('button', { name: 'Leave it' }).click()
    await row.getByRole('button', { name: 'Replay all' }).click()
    await dialog.getByRole('button', { name: 'Send them again' }).click()
    await expect.poll(() => receiver.deliveries.length, patience).toBe(6)
    await expect.poll(() => given.textContent(), patience).toBe('0')
    const taken = row.locator('td[data-label="Taken in an hour"]')
    await expect.poll(() => taken.textContent(), patience).toBe('3')
  })
})
