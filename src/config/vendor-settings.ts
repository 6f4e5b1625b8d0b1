import { z } from 'zod'

/** Keys travel in a header: a space or line end, often pasted along, would fail every call. */
export const headerSafeKey = z.string().regex(/^[\x21-\x7e]+$/, 'expected a key without spaces or line ends')

/** Becomes part of a host name. */
const hostPart = (example: string) =>
  z.string().regex(/^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/, `expected a name such as ${example}`)

/** Settings of a provider that only one type has; `vendor-relations.ts` says which type needs which. */
export const vendorSettings = {
  /** Only for `simulated`: which format it speaks. */
  format: z.enum(['openai', 'anthropic']).optional(),
  /** Only for `azure`: the name of the resource, as in `https://NAME.openai.azure.com`. */
  resource: hostPart('my-resource').optional(),
  /** Only for `azure`: a date for the API with deployments in its paths; the v1 API by default. */
  api_version: z
    .string()
    .regex(/^(v1|preview|latest|\d{4}-\d{2}-\d{2}(-preview)?)$/, 'expected v1, preview, latest or 2024-10-21')
    .optional(),
  /** Only for `vertex`: the project's id. */
  project: z
    .string()
    .regex(/^[\w.:-]{1,100}$/, 'expected the id of a project')
    .optional(),
  /** Only for `vertex`: a region, `global`, `eu` or `us`. */
  location: hostPart('us-central1').optional(),
  /** Only for `vertex`: the JSON of a service account's key. */
  credentials: z.string().min(1).optional(),
  /** Only for `vertex`: a file with that JSON. */
  credentials_file: z.string().min(1).optional(),
  /** Only for `bedrock`. */
  region: hostPart('us-east-1').optional(),
  /** Only for `bedrock`: AWS keys, which sign each call, unless there is an `api_key`. */
  access_key_id: headerSafeKey.optional(),
  secret_access_key: headerSafeKey.optional(),
  /** Only for `bedrock`: comes with temporary AWS keys. */
  session_token: headerSafeKey.optional(),
}

/** Whether a text is the JSON of a service account's key, as Google's console hands it out. */
export const isServiceAccount = (text: string): boolean => {
  try {
    const { type, client_email, private_key } = JSON.parse(text) ?? {}
    return type === 'service_account' && typeof client_email === 'string' && typeof private_key === 'string'
  } catch {
    return false
  }
}

/** What lets a provider be called beside `api_key` and `api_keys`: kept secret, and from the environment as a rule. */
export const vendorCredentials = [
  'credentials',
  'access_key_id',
  'secret_access_key',
  'session_token',
] as const
