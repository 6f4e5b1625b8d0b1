import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { explainText } from '../../src/cli/explain-text.ts'
import { scoreOf } from '../../src/jobs/list-entry.ts'
import { jobSummary } from '../../src/jobs/view.ts'
import { timeChars } from '../../src/redis/keys.ts'
import { patience } from '../support/patience.ts'
import { takePictures } from './browser.ts'
import { openPageSite, type PageSite } from './page-site.ts'

/** What anybody may write, and no screen may be wider for. */
const long = { ['key'.repeat(21)]: '<b>\u202E'.padEnd(200, 'W') }

let site: PageSite
let handedOver: string
beforeAll(async () => {
  site = await openPageSite({ jobs: { indexed_metadata: ['user'] } })
  const { baton, sims } = site
  sims[0]!.script({ fault: { kind: 'error-503' } })
  sims[1]!.script({ fault: { kind: 'throttle' } })
  handedOver = await baton.chat('gpt-4', { tenant: 'ops', metadata: { user: '42' } })
  await baton.ended(handedOver)
})
afterAll(() => site?.stop())

describe('jobs in a browser', () => {
  it('shows a job that was handed over twice in three lanes, in the words of `baton explain`', async () => {
    await using tab = await site.open(`/ui/jobs/${handedOver}`)
    const { page } = tab
    const timeline = page.getByRole('region', { name: 'Timeline' })
    await timeline.getByRole('listitem').first().waitFor(patience)
    expect(await timeline.locator('.lane').count()).toBe(3)
    await takePictures(page, 'job')
    await tab.context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.getByRole('button', { name: `Copy ${handedOver}` }).click()
    await page.getByText('Copied.').waitFor(patience)
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(handedOver)
    const record = await site.baton.ended(handedOver)
    const wanted = explainText(jobSummary(record), null, Date.now()).steps.map(({ text }) => text)
    const shown = await timeline.locator('li > bdi').allTextContents()
    // The page shows times of day by whole seconds, and its own way of a date.
    const plain = (text: string): string => text.replace(/\d\d:\d\d:\d\d(\.\d+)?|to be answered by .*/g, '')
    expect(shown.map(plain)).toEqual(wanted.map(plain))
  })

  it('shows prompt and answer on demand where the config says so, and else not at all', async () => {
    await using hidden = await site.open(`/ui/jobs/${handedOver}`)
    await hidden.page.getByRole('region', { name: 'Facts' }).waitFor(patience)
    expect(await hidden.page.getByRole('region', { name: 'Prompt and answer' }).count()).toBe(0)
    const open = await openPageSite({ ui: { enabled: true, show_content: true } })
    try {
      const id = await open.baton.chat('gpt-4o', { tenant: 'a' })
      await open.baton.ended(id)
      await using tab = await open.open(`/ui/jobs/${id}`)
      const content = tab.page.getByRole('region', { name: 'Prompt and answer' })
      await content.getByRole('button', { name: 'Show' }).click()
      await content.getByLabel('Answer').waitFor(patience)
      expect(await content.getByLabel('Answer').textContent()).toContain('echo')
    } finally {
      await open.stop()
    }
  })

  it('finds jobs by what the address says, and Back leads to the list as it was', async () => {
    const { baton } = site
    const other = await baton.chat('gpt-4o', { tenant: 'a', metadata: { user: '7' } })
    await baton.ended(other)
    await using tab = await site.open('/ui/jobs')
    const { page } = tab
    const rows = page.getByRole('region', { name: 'Jobs' }).locator('tbody tr')
    await expect.poll(() => rows.count(), patience).toBe(2)
    await takePictures(page, 'jobs')
    await page.getByLabel('user', { exact: true }).fill('42')
    await page.getByRole('button', { name: 'Show' }).click()
    await expect.poll(() => rows.count(), patience).toBe(1)
    expect(new URL(page.url()).search).toBe('?meta.user=42')
    await rows.getByRole('link').click()
    await page.getByRole('region', { name: 'Timeline' }).waitFor(patience)
    await page.goBack()
    await expect.poll(() => rows.count(), patience).toBe(1)
    expect(await page.getByLabel('user', { exact: true }).inputValue()).toBe('42')
    await page.getByLabel('Other metadata').fill('note=none')
    await page.getByRole('button', { name: 'Show' }).click()
    await page.getByText('No job matches').waitFor(patience)
    expect(new URL(page.url()).search).toBe('?meta.user=42&meta.note=none')
    await page.getByRole('link', { name: 'Clear' }).click()
    await page.getByLabel('Provider').selectOption('second')
    await page.getByText('No job matches').waitFor(patience)
    await page.getByLabel('Provider').selectOption('third')
    await expect.poll(() => rows.count(), patience).toBe(2)
    await page.getByLabel('Tenant').selectOption('a')
    await expect.poll(() => rows.count(), patience).toBe(1)
    await page.getByLabel('Status').selectOption('failed')
    await page.getByText('No job matches').waitFor(patience)
  })

  it('says that newer jobs came, and does not move those that are shown', async () => {
    const { baton } = site
    await using tab = await site.open('/ui/jobs?route=gpt-4o')
    const { page } = tab
    const ids = page.getByRole('region', { name: 'Jobs' }).locator('tbody a')
    await ids.first().waitFor(patience)
    const before = await ids.evaluateAll(links => links.map(link => link.getAttribute('title')))
    const fresh = await baton.chat('gpt-4o', { tenant: 'a' })
    await baton.ended(fresh)
    await page.getByText('There are newer jobs').waitFor(patience)
    expect(await ids.evaluateAll(links => links.map(link => link.getAttribute('title')))).toEqual(before)
    await page.getByRole('button', { name: 'Show them' }).click()
    await expect.poll(() => ids.first().getAttribute('title'), patience).toBe(fresh)
  })

  it('leads over pages of 50 by a cursor of the address', async () => {
    const { baton } = site
    const tenant = 'many'
    const all = await Promise.all(Array.from({ length: 60 }, () => baton.chat('gpt-4o', { tenant })))
    await Promise.all(all.map(baton.ended))
    await using tab = await site.open('/ui/jobs?tenant=many')
    const { page } = tab
    const rows = page.getByRole('region', { name: 'Jobs' }).locator('tbody tr')
    await expect.poll(() => rows.count(), patience).toBe(50)
    const far = rows.nth(40).getByRole('link').first()
    await far.focus()
    const y = await page.evaluate<number>('scrollY')
    expect(y).toBeGreaterThan(0)
    await far.press('Enter')
    await page.getByRole('region', { name: 'Timeline' }).waitFor(patience)
    expect(await page.evaluate('scrollY')).toBe(0)
    await page.goBack()
    await expect.poll(() => page.evaluate('scrollY'), patience).toBe(y)
    const focused = () => page.evaluate("document.activeElement.getAttribute('href')")
    await expect.poll(focused, patience).toBe(await far.getAttribute('href'))
    await page.getByRole('link', { name: 'More' }).click()
    await expect.poll(() => rows.count(), patience).toBe(10)
    await page.goBack()
    await expect.poll(() => rows.count(), patience).toBe(50)
  })

  it('searches on by itself where the server has not looked at enough for a page, until somebody stops it', async () => {
    const { baton } = site
    const { context } = baton
    const rare = await baton.chat('gpt-4o', { tenant: 'a', metadata: { note: 'rare' } })
    await baton.ended(rare)
    // Jobs that the server has to look at one by one, for longer than it takes for an answer.
    const plant = `for i = 1, 100000 do
      local id = ARGV[1] .. string.format('%07d', i) .. ('0'):rep(15)
      redis.call('ZADD', KEYS[1], tonumber(id:sub(2, 11), 36), id .. '\\n\\nr\\np/m\\n\\n')
    end`
    const planted = context.keys.list(0, 'succeeded')
    // Newer than all others.
    const begin = timeChars(context.now() + 32 ** 6).slice(0, 4)
    await context.redis.eval(plant, 1, planted, begin)
    try {
      await using tab = await site.open('/ui/jobs')
      const { page } = tab
      const held = Promise.withResolvers<void>()
      await page.route(/cursor=/, async route => {
        await held.promise
        await route.continue()
      })
      await page.goto('/ui/jobs?meta.note=rare')
      await page.getByText('Searching…').waitFor(patience)
      await page.getByRole('button', { name: 'Stop' }).click()
      await page.getByText('there are older ones under More').waitFor(patience)
      expect(await page.getByText('Searching…').count()).toBe(0)
      held.resolve()
      await page.reload()
      await page.getByRole('region', { name: 'Jobs' }).getByTitle(rare).waitFor({ timeout: 60_000 })
      await expect.poll(() => page.getByText('Searching…').count(), patience).toBe(0)
      expect(new URL(page.url()).search).toBe('?meta.note=rare')
    } finally {
      await context.redis.zremrangebyscore(planted, scoreOf(begin), '+inf')
    }
  })

  it('cancels a job that waits, and says of another tenant whose key can', async () => {
    const { baton, sims } = site
    sims[2]!.script({ fault: { kind: 'hang' } })
    const [own, foreign] = await Promise.all(['ops', 'a'].map(tenant => baton.chat('gpt-4o', { tenant })))
    await using tab = await site.open(`/ui/jobs/${foreign}`)
    const { page } = tab
    await page.getByText('Only a key of its tenant, a, can cancel it.').waitFor(patience)
    await page.goto(`/ui/jobs/${own}`)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Cancel the job' }).click()
    await page.getByRole('region', { name: 'State' }).getByText('cancelled').waitFor(patience)
    // Asked for once more: the answer gets lost, and nobody waits for it any longer. The second time is led to what the first has made.
    let made = ''
    const closed = Promise.withResolvers<void>()
    await page.route(
      '**/retry',
      async route => {
        const headers = { ...(await route.request().allHeaders()), 'sec-fetch-site': 'same-origin' }
        const send = async () => ((await (await route.fetch({ headers })).json()) as { id?: string }).id ?? ''
        // Redis may be late by itself.
        await expect.poll(async () => (made = await send()), patience).not.toBe('')
        await closed.promise
        const error = { code: 'redis_unavailable', message: 'Redis gives no answer.' }
        await route.fulfill({ status: 503, headers: { 'retry-after': '1' }, json: { error } })
      },
      { times: 1 },
    )
    const again = async (): Promise<void> => {
      await page.getByRole('button', { name: 'Retry' }).click()
      await page.getByRole('button', { name: 'Submit it again' }).click()
    }
    await again()
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
    closed.resolve()
    await page.getByText('It was submitted again.').waitFor(patience)
    expect(new URL(page.url()).pathname).toBe(`/ui/jobs/${own}`)
    await again()
    await expect.poll(() => new URL(page.url()).pathname, patience).toBe(`/ui/jobs/${made}`)
    sims[2]!.script({})
    await baton.parts.store.cancel(foreign!)
  })

  it('asks to sign in again where the session has ended, and then shows what was open', async () => {
    await using tab = await site.open('/ui/jobs?tenant=ops', { isAlone: true, expects: /401/ })
    const { page } = tab
    await page.getByRole('region', { name: 'Jobs' }).waitFor(patience)
    await page.evaluate("fetch('/ui/session', { method: 'DELETE', headers: { 'x-baton-ui': '1' } })")
    await page.keyboard.press('r')
    await page.getByLabel('Operator key').fill('operator-key')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('region', { name: 'Jobs' }).waitFor(patience)
    expect(new URL(page.url()).search).toBe('?tenant=ops')
    // A server that cannot say who that is: the page says so, and comes to itself.
    const error = { code: 'redis_unavailable', message: 'Redis gives no answer.' }
    await page.route('**/ui/session', route => route.fulfill({ status: 503, json: { error } }))
    await page.reload()
    await page.getByRole('alert').getByText('redis_unavailable').waitFor(patience)
    await page.unroute('**/ui/session')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('region', { name: 'Jobs' }).waitFor(patience)
  })

  it('says what is wrong with an address, and shows the rest', async () => {
    await using tab = await site.open('/ui/jobs?from=yesterday', { expects: /400/ })
    const { page } = tab
    await page.getByRole('alert').getByText('created_from').waitFor(patience)
    await page.getByRole('link', { name: 'Clear' }).click()
    await page.getByRole('region', { name: 'Jobs' }).waitFor(patience)
    await page.goto('/ui/providers/first,second')
    await page.getByText('The config names no provider “first,second”.').waitFor(patience)
  })

  it('is accessible', async () => {
    const wordy = await site.baton.chat('gpt-4o', { tenant: 'a', metadata: long })
    const paths = ['/ui/jobs?tenant=ops', `/ui/jobs/${handedOver}`, `/ui/jobs/${wordy}`]
    await site.checkAccess(paths, async (page, path) => {
      await page
        .getByRole('region', { name: path.startsWith('/ui/jobs?') ? 'Jobs' : 'Timeline' })
        .waitFor(patience)
    })
  })
})
