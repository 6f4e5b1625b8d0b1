import { isIP } from 'node:net'
import { z } from 'zod'

/** A number that may also arrive as text: variables are always text. */
export const numeric = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess(
    value => (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value),
    schema,
  )

/** `true` and `false` that may also arrive as text. */
export const flag = z.preprocess(
  value => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean(),
)

/** A name that stands on a line of its own somewhere. */
export const oneLine = z
  .string()
  .min(1)
  .regex(/^[^\r\n]*$/, 'expected one line')

export const positiveInt = numeric(z.int().positive())
/** The size of a pool in one process. */
export const concurrency = numeric(z.int().positive().max(10_000))
/** The same, or what is found out while it works. */
export const ownConcurrency = z.union([z.literal('auto'), concurrency])

/** The proxy is told them without their percent signs: these have to stand for bytes. */
const hasReadableCredentials = (url: string): boolean => {
  const { username, password } = URL.parse(url) ?? { username: '', password: '' }
  try {
    decodeURIComponent(`${username}${password}`)
    return true
  } catch {
    return false
  }
}

/** Variables of the environment may leave the scheme out. */
export const proxyUrl = z.preprocess(
  value => (typeof value === 'string' && value !== '' && !value.includes('://') ? `http://${value}` : value),
  z
    .url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL of a proxy' })
    .refine(hasReadableCredentials, 'expected a user and password with each % written as %25'),
)

export const httpUrl = z.url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' })

/** As browsers write it in `Origin`. Those of apps have schemes of their own. */
const isOrigin = (text: string): boolean => {
  const url = URL.parse(text)
  if (url === null || !/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s*]+$/.test(text)) return false
  return url.origin === 'null' || url.origin === text
}

export const corsOrigin = z
  .string()
  .refine(
    text => text === '*' || isOrigin(text),
    'expected an origin such as https://app.example.com, without a slash at its end, or *',
  )

/** `10.0.0.53`, `10.0.0.53:5353`, `fd00::53`, `[fd00::53]:5353`. */
const isNameServer = (text: string): boolean => {
  const [, v6, v4, port] = /^(?:\[([^\]]+)\]|([\d.]+)):(\d{1,5})$/.exec(text) ?? []
  if (port === undefined) return isIP(text) !== 0
  return Number(port) > 0 && Number(port) < 65_536 && isIP(v6 ?? v4 ?? '') === (v6 === undefined ? 4 : 6)
}

export const nameServer = z
  .string()
  .refine(isNameServer, 'expected an IP address, and :port where that is not 53')
