import { describe, expect, test } from 'vitest'
import { createAddressGuard } from '../../src/webhooks/address-guard.ts'

const publicAddresses = ['1.1.1.1', '93.184.216.34', '172.32.0.1', '2606:4700:4700::1111', '::ffff:1.1.1.1']

const forbiddenAddresses = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '100.100.100.200',
  '127.0.0.1',
  '127.255.255.254',
  '168.63.129.16',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:0:127.0.0.1',
  '0:0:0:0:0:ffff:a9fe:a9fe',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'fc00::1',
  'fd00:ec2::254',
  'ff02::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  '4000::1',
  '5f00::1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
]

describe('the address guard', () => {
  describe('with nothing allowed', () => {
    const guard = createAddressGuard([])

    test.each(publicAddresses)('%s may be reached, but not over plain http', address => {
      expect(guard.permits(address)).toBe(true)
      expect(guard.allowsPlainHttp(address)).toBe(false)
    })

    test.each(forbiddenAddresses)('%s is forbidden', address => {
      expect(guard.permits(address)).toBe(false)
      expect(guard.allowsPlainHttp(address)).toBe(false)
    })

    test.each(['', 'localhost', '127.1', '0x7f000001', '2130706433', '[2606:4700::1]'])(
      '%j is no address and so forbidden',
      text => {
        expect(guard.permits(text)).toBe(false)
      },
    )
  })

  describe('with networks allowed', () => {
    const guard = createAddressGuard(['10.1.0.0/16', '::1/128', '93.184.216.0/24'])

    test.each(['10.1.2.3', '::ffff:10.1.2.3', '::1', '93.184.216.34'])(
      '%s may be reached, plain too',
      address => {
        expect(guard.permits(address)).toBe(true)
        expect(guard.allowsPlainHttp(address)).toBe(true)
      },
    )

    test.each(['10.2.0.1', '127.0.0.1', '::2', 'fe80::1'])('%s stays forbidden', address => {
      expect(guard.permits(address)).toBe(false)
    })
  })

  test.each(['10.0.0.1', '10.0.0.0/33', 'intranet'])('%j is refused as an allowed network', network => {
    expect(() => createAddressGuard([network])).toThrow()
  })
})
