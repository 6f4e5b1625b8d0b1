import { describe, expect, test } from 'vitest'
import { createAddressGuard } from '../../src/webhooks/address-guard.ts'
import { assertWebhookUrl } from '../../src/webhooks/webhook-url.ts'
import { loopback } from './sending.ts'

const nothingAllowed = createAddressGuard([])
const answering =
  (...addresses: string[]) =>
  async () =>
    addresses
const unknownName = () => Promise.reject(new Error('no such name'))

const refusal = (code: string) => ({ code, status: 400, param: 'webhook.url' })

describe('webhook URLs', () => {
  describe('a malformed URL is refused', () => {
    test.each([
      ['', 'no URL'],
      ['hooks.example.com/x', 'no scheme'],
      ['https://', 'no host'],
      ['ftp://hooks.example.com/', 'another scheme'],
      ['file:///etc/passwd', 'another scheme'],
      ['http://hooks.example.com/', 'plain http'],
      ['https://user@hooks.example.com/', 'a user'],
      ['https://:pass@hooks.example.com/', 'a password'],
      [`https://hooks.example.com/${'x'.repeat(2048)}`, 'too long'],
    ])('%s (%s)', async url => {
      await expect(assertWebhookUrl(url, nothingAllowed, answering('1.1.1.1'))).rejects.toMatchObject(
        refusal('invalid_webhook_url'),
      )
    })
  })

  describe('a private address is refused in whatever form it is written', () => {
    test.each([
      'https://127.0.0.1/',
      'https://127.1/',
      'https://2130706433/',
      'https://0x7f.1/',
      'https://0177.0.0.1/',
      'https://0/',
      'https://127.0.0.1./',
      'https://%31%32%37.0.0.1/',
      'https://①②⑦.0.0.1/',
      'https://[::1]/',
      'https://[::ffff:127.0.0.1]/',
      'https://[::ffff:7f00:1]/',
      'https://[fd00:ec2::254]/',
      'https://169.254.169.254/latest/meta-data/',
      'https://10.0.0.1:8443/',
      'http://2130706433/',
    ])('%s', async url => {
      await expect(assertWebhookUrl(url, nothingAllowed, unknownName)).rejects.toMatchObject(
        refusal('webhook_address_forbidden'),
      )
    })

    test.each(['https://localhost/', 'https://localhost./', 'https://LOCALHOST:8443/'])(
      '%s, by the system resolver',
      async url => {
        await expect(assertWebhookUrl(url, nothingAllowed)).rejects.toMatchObject(
          refusal('webhook_address_forbidden'),
        )
      },
    )
  })

  describe('a name', () => {
    const url = 'https://hooks.example.com/jobs?x=1#part'

    test('that leads to public addresses is accepted', async () => {
      await assertWebhookUrl(url, nothingAllowed, answering('93.184.216.34', '2606:4700::1111'))
    })

    test('that leads to one private address among public ones is refused, and the address is not told', async () => {
      const refused = assertWebhookUrl(url, nothingAllowed, answering('93.184.216.34', '10.77.0.1'))
      await expect(refused).rejects.toMatchObject(refusal('webhook_address_forbidden'))
      await expect(refused).rejects.not.toThrow('10.77.0.1')
    })

    test('that does not resolve yet is accepted', async () => {
      await assertWebhookUrl(url, nothingAllowed, unknownName)
    })

    test('whose resolver is slow is accepted without waiting for it', async () => {
      const startedMs = performance.now()
      await assertWebhookUrl(url, nothingAllowed, () => new Promise(() => {}))
      expect(performance.now() - startedMs).toBeLessThan(5_000)
    })
  })

  describe('plain http', () => {
    test.each(['http://127.0.0.1:9000/hook', 'http://127.1/'])(
      'is accepted in an allowed network: %s',
      async url => {
        await assertWebhookUrl(url, loopback, unknownName)
      },
    )

    test('is accepted for a name whose every address is in an allowed network', async () => {
      await assertWebhookUrl('http://receiver:9000/', loopback, answering('127.0.0.1', '127.0.0.2'))
    })

    test.each([
      ['a public address', answering('93.184.216.34')],
      ['an address of either kind', answering('127.0.0.1', '93.184.216.34')],
      ['no address', answering()],
      ['an unknown name', unknownName],
    ])('is refused for a name that leads to %s', async (_case, resolve) => {
      await expect(assertWebhookUrl('http://receiver:9000/', loopback, resolve)).rejects.toMatchObject(
        refusal('invalid_webhook_url'),
      )
    })
  })
})
