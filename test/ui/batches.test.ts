import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { patience } from '../support/patience.ts'
import { takePictures } from './browser.ts'
import { openPageSite, type PageSite } from './page-site.ts'

let site: PageSite
beforeAll(async () => {
  site = await openPageSite({ ui: { enabled: true, show_content: true } })
})
afterAll(() => site?.stop())

const lineOf = (i: number, model = 'gpt-4o'): string =>
  JSON.stringify({
    custom_id: `line-${i}`,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model, messages: [{ role: 'user', content: `hello ${i}` }] },
  })

const fileOf = (...lines: readonly string[]) => ({
  name: 'requests.jsonl',
  mimeType: 'application/x-jsonl',
  buffer: Buffer.from(lines.join('\n')),
})

const tenLines = Array.from({ length: 10 }, (_, i) => lineOf(i))

describe('batches in a browser', () => {
  it('are made of a file from the page by keyboard alone, followed to their end, and read', async () => {
    await using tab = await site.open('/ui/batches')
    const { page } = tab
    await page.getByText('No batch is under way.').waitFor(patience)
    await page.getByRole('link', { name: 'New batch' }).press('Enter')
    await page.getByLabel('File').setInputFiles(fileOf(...tenLines))
    await page.getByLabel('Window').press('Enter')
    await page.getByText('10 of 10').waitFor(patience)
    await page.getByRole('region', { name: 'State' }).getByText('completed').waitFor(patience)
    await page.getByRole('region', { name: 'Answered by' }).getByText('third').waitFor(patience)
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download answers' }).click(),
    ])
    expect(download.suggestedFilename()).toMatch(/^batch_.*_output\.jsonl$/)
    await page.getByRole('navigation').getByRole('link', { name: 'Batches' }).click()
    await page.getByRole('link', { name: 'All batches' }).click()
    await page.getByText('10 of 10').waitFor(patience)
  })

  it('show the faults of their file line by line', async () => {
    await using tab = await site.open('/ui/batches/new')
    const { page } = tab
    await page
      .getByLabel('File')
      .setInputFiles(fileOf(lineOf(0), '{"custom_id":', lineOf(2, 'no-such-model')))
    await page.getByRole('button', { name: 'Submit' }).click()
    const faults = page.getByRole('region', { name: 'Faults of its file' }).locator('tbody tr')
    await faults.first().waitFor(patience)
    expect(await faults.locator('td').first().textContent()).toBe('2')
  })

  it('say why they cannot be made, and keep what was written', async () => {
    await using tab = await site.open('/ui/batches/new', { expects: /400/ })
    const { page } = tab
    await page.getByLabel('File').setInputFiles(fileOf(...tenLines))
    await page.getByLabel('Window').fill('99d')
    await page.getByRole('button', { name: 'Submit' }).click()
    await page.getByRole('alert').getByText('expected a time from 1m to 7d').waitFor(patience)
    await page.getByLabel('Window').fill('1h')
    await page.getByRole('button', { name: 'Submit' }).click()
    await page.getByText('10 of 10').waitFor(patience)
  })

  it('say what blocks them, and go on once that is mended and tried again from there', async () => {
    const { sims } = site
    sims[2]!.script({ fault: { kind: 'bad-key' } })
    await using tab = await site.open('/ui/batches/new')
    const { page } = tab
    await page.getByLabel('File').setInputFiles(fileOf(...tenLines))
    await page.getByRole('button', { name: 'Submit' }).click()
    const state = page.getByRole('region', { name: 'State' })
    await state.getByText(/^Blocked since/).waitFor({ timeout: 60_000 })
    await takePictures(page, 'batch')
    await page.getByRole('region', { name: 'Lines' }).getByRole('link', { name: 'parked' }).click()
    await page
      .getByRole('region', { name: 'Lines' })
      .getByText('parked', { exact: true })
      .nth(1)
      .waitFor(patience)
    await page.getByRole('navigation').getByRole('link', { name: 'Batches' }).click()
    await page.locator('.state', { hasText: 'blocked' }).waitFor(patience)
    await takePictures(page, 'batches')
    sims[2]!.script({})
    await page.getByRole('region', { name: 'Batches' }).getByRole('link').first().click()
    await page.getByRole('button', { name: 'Try again now' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Try again now' }).click()
    await state.getByText('10 of 10').waitFor({ timeout: 60_000 })
  }, 240_000)

  it('ask again for what failed, as a batch of their own', async () => {
    const { sims } = site
    sims[2]!.script({ fault: { kind: 'bad-request' } })
    await using tab = await site.open('/ui/batches/new')
    const { page } = tab
    await page.getByLabel('File').setInputFiles(fileOf(...tenLines))
    await page.getByRole('button', { name: 'Submit' }).click()
    await page.getByText('10 of 10, 10 not answered').waitFor(patience)
    const codes = page.getByRole('region', { name: 'Failures by code' }).locator('tbody tr')
    await codes.first().waitFor(patience)
    expect(await codes.locator('td').nth(1).textContent()).toBe('10')
    await codes.getByRole('link').click()
    const lines = page.getByRole('region', { name: 'Failed lines' }).locator('tbody tr')
    await expect.poll(() => lines.count(), patience).toBe(10)
    expect(await lines.first().textContent()).toContain('line-')
    sims[2]!.script({})
    await page.getByRole('button', { name: 'Retry failed' }).click()
    await page.getByRole('button', { name: 'Retry them' }).click()
    await page.getByText('Retry of').waitFor(patience)
    await page.getByText('10 of 10', { exact: true }).waitFor(patience)
  })

  it('are cancelled after a question', async () => {
    const { sims } = site
    sims[2]!.script({ fault: { kind: 'hang' } })
    await using tab = await site.open('/ui/batches/new')
    const { page } = tab
    await page.getByLabel('File').setInputFiles(fileOf(...tenLines))
    await page.getByRole('button', { name: 'Submit' }).click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the batch' }).click()
    await page.getByRole('region', { name: 'State' }).getByText('cancelled').first().waitFor(patience)
    sims[2]!.script({})
  })

  it('are accessible', async () => {
    const [batch] = (
      await site.baton.parts.allBatches.page({
        ...{ isOpen: false, matches: () => true, sort: 'created', limit: 1 },
      })
    ).batches
    const paths = ['/ui/batches?status=all', '/ui/batches/new', `/ui/batches/${batch!.id}`]
    await site.checkAccess(paths, page => page.getByRole('region').first().waitFor(patience))
  }, 240_000)
})
