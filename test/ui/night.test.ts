import { afterAll, beforeAll, expect, it } from 'vitest'
import { patience } from '../support/patience.ts'
import { openPageSite, type PageSite } from './page-site.ts'

const slow = { timeout: 60_000, interval: 100 }

let site: PageSite
beforeAll(async () => {
  site = await openPageSite()
  const { redis, keys } = site.baton.context
  // Noon of yesterday: 42 dollars, in units of 1e-8.
  const hour = Math.floor(Date.now() / 86_400_000) * 24 - 12
  await redis.hset(keys.usage(0, hour), { 'rfirst/gpt-4\nchat': 9, 'dfirst/gpt-4\nchat': 4_200_000_000 })
})
afterAll(() => site?.stop())

/** What a client of another tenant does meanwhile. */
const submitBatch = async (): Promise<void> => {
  const headers = { authorization: 'Bearer submit-key' }
  const line = (i: number) => ({
    ...{ custom_id: `line-${i}`, method: 'POST', url: '/v1/chat/completions' },
    body: { model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] },
  })
  const form = new FormData()
  form.set('purpose', 'batch')
  form.set(
    'file',
    new Blob(Array.from({ length: 5 }, (_, i) => `${JSON.stringify(line(i))}\n`)),
    'input.jsonl',
  )
  const file = await fetch(`${site.baton.url}/v1/files`, { method: 'POST', headers, body: form })
  const { id } = (await file.json()) as { id: string }
  const body = { input_file_id: id, endpoint: '/v1/chat/completions', completion_window: '24h' }
  const made = await fetch(`${site.baton.url}/v1/batches`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect(made.status).toBe(200)
}

it('a new operator gets through a night with the page alone', async () => {
  const { baton, sims } = site
  const traffic = async (): Promise<void> => {
    const ids = await Promise.all(Array.from({ length: 6 }, () => baton.chat('gpt-4')))
    await Promise.all(ids.map(baton.ended))
  }
  await using tab = await site.open('/ui')
  const { page } = tab
  const troubles = page.getByRole('main').getByRole('listitem')
  await page.locator('.verdict', { hasText: 'All is well' }).waitFor(patience)

  // An outage is noticed, and understood.
  sims[0]!.script({ fault: { kind: 'error-503' } })
  await traffic()
  const away = troubles.filter({ hasText: 'first is away' })
  await away.waitFor(patience)
  await away.getByRole('link', { name: 'Open' }).click()
  const state = page.getByRole('region', { name: 'State' })
  await state.getByText(/away because of/).waitFor(patience)

  // The provider is paused, and resumed when it is well.
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByLabel('Note').fill(`their status page says an hour \u202E${'.'.repeat(160)}`)
  await page.getByRole('button', { name: 'Pause first' }).click()
  await state.getByText('“their status page says an hour').waitFor(patience)
  // What had opened the dialog is gone.
  const focused = () => page.evaluate('document.activeElement.tagName')
  await expect.poll(focused, patience).toBe('H1')
  expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0)
  sims[0]!.script({})
  await page.getByRole('button', { name: 'Resume' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click()
  await expect
    .poll(async () => {
      await traffic()
      return state.textContent()
    }, slow)
    .toContain('healthy')

  // A batch is blocked, and goes on once its cause is mended.
  sims[2]!.script({ fault: { kind: 'bad-key' } })
  await submitBatch()
  await page.getByRole('link', { name: 'Overview' }).click()
  const blocked = troubles.filter({ hasText: /Batch .+ is blocked/ })
  await blocked.waitFor(slow)
  await blocked.getByRole('link', { name: 'Open' }).click()
  await state.getByText('bad credentials').waitFor(patience)
  sims[2]!.script({})
  await page.getByRole('button', { name: 'Try again now' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Try again now' }).click()
  await state.getByText('5 of 5').waitFor(slow)

  // What did yesterday cost, by route?
  await page.getByRole('link', { name: 'Costs' }).click()
  const chat = page.getByRole('row').filter({ hasText: 'chat' })
  await expect.poll(() => chat.textContent(), patience).toContain('$42.00')
}, 240_000)
