import { describe, expect, it } from 'vitest'
import { createRedact } from '../../src/domain/redact.ts'

/** With all that encodings change: `+`, `/`, `=`, `"`, `&` and a letter outside ASCII. */
const odd = 'kä+y/9"&f8Q==zT4\\w'
const plain = 'prx9fK2mW7qL4vB8nR3t'
const redact = createRedact([plain, odd, 'key-1', 'none'])
const base64 = (text: string): string => Buffer.from(text).toString('base64')

describe('redaction', () => {
  describe.each([
    ['a plain one', plain],
    ['one that encodings change', odd],
  ])('a secret, %s,', (_, secret) => {
    it.each([
      ['as it is', secret],
      ['in a sentence', `the key ${secret}, sent by you`],
      ['in JSON', JSON.stringify({ headers: { h: secret } })],
      ['in JSON with escaped slashes', JSON.stringify({ h: secret }).replaceAll('/', '\\/')],
      ['in JSON as Go writes it', JSON.stringify({ h: secret }).replaceAll('&', '\\u0026')],
      ['in a URL', `https://x.test/?k=${encodeURIComponent(secret)}&a=1`],
      ['in a URL in small letters', `?k=${encodeURIComponent(secret).replace(/%../g, h => h.toLowerCase())}`],
      ['in base64', base64(secret)],
      ['in base64 behind a name', base64(`user:${secret}`)],
      ['in base64 behind a scheme', base64(`Bearer ${secret}`)],
      ['in base64 between others', base64(`{"k":"${secret}","more":true}`)],
      ['in base64 for URLs', Buffer.from(`a:${secret}`).toString('base64url')],
      ['in hexadecimal', Buffer.from(secret).toString('hex')],
      ['in a page', `<p>${secret.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}</p>`],
      ['cut off at its end', `authorization was ${secret.slice(0, 16)}`],
      ['cut off at its start', `${secret.slice(2)} is no key`],
    ])('is cut out %s', (_, text) => {
      const shown = redact(text)
      expect(shown).toContain('[redacted]')
      for (const form of [secret, base64(secret).slice(4, 16), encodeURIComponent(secret)])
        for (let at = 0; at + 12 <= form.length; at++) expect(shown).not.toContain(form.slice(at, at + 12))
    })

    it('leaves JSON valid', () => {
      for (const text of [
        JSON.stringify({ a: `x\\${secret}\\"`, b: [secret] }),
        JSON.stringify(`"${secret}\n`),
      ])
        expect(() => JSON.parse(redact(text))).not.toThrow()
    })

    it('is cut out of a long text, too', () => {
      expect(redact(`${'x'.repeat(300_000)}${secret}${' '.repeat(300_000)}`)).not.toContain(secret)
    })
  })

  describe('what is no secret of the config, but looks like one,', () => {
    it.each([
      [
        'Incorrect API key provided: sk-proj-abcdefghijk1234567890.',
        'Incorrect API key provided: [redacted]',
      ],
      ['Incorrect API key provided: sk-ab***********wxyz. See', 'Incorrect API key provided: [redacted] See'],
      ['your key gsk_a1b2c3d4e5 is revoked', 'your key [redacted] is revoked'],
      ['got Authorization: Bearer abc123def456 from you', 'got Authorization: [redacted] from you'],
      ['{"authorization":"Bearer abc123def456"}', '{"authorization":"[redacted]"}'],
      ['{"X-Api-Key":["abcd1234efgh"]}', '{"X-Api-Key":["[redacted]"]}'],
      ['token eyJhbGciOiJIUzI1.eyJzdWIiOiIx.sig is expired', 'token [redacted] is expired'],
      ['key AIzaSyA1234567890abcdefghij invalid', 'key [redacted] invalid'],
    ])('is cut out of %s', (text, shown) => expect(redact(text)).toBe(shown))
  })

  describe('a sentence', () => {
    it.each([
      'You must send a Bearer authentication header with the request.',
      'invalid x-api-key',
      'The model `gpt-5` does not exist or you do not have access to it.',
      'none of the sk-learn tools; monkey-123 may',
      "Unsupported value: 'temperature' does not support 1.5 with this model.",
      '**important**: authorization is required',
    ])('stays as it is: %s', text => expect(redact(text)).toBe(text))

    it('loses a short key where that stands alone', () => {
      expect(redact("bad key 'key-1'")).toBe("bad key '[redacted]'")
    })
  })

  describe('a text of hostile shape', () => {
    const many = 50_000
    it.each([
      ['asterisks', '*'.repeat(many)],
      ['spaces behind the name of a header', `authorization:${' '.repeat(many)}`],
      ['quotes behind the name of a header', `authorization${'"'.repeat(many)}`],
      ['beginnings of tokens', '-eyJ'.repeat(many / 4)],
    ])('of nothing but %s is looked through once, not once for each character', (_, text) => {
      const startedAt = performance.now()
      redact(text)
      // Squared it takes many seconds; once, some milliseconds.
      expect(performance.now() - startedAt).toBeLessThan(5_000)
    })
  })
})
