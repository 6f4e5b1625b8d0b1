import { z } from 'zod'
import { httpUrl } from './schema-values.ts'

/** Keys travel in a header: a space or line end, often pasted along, would fail every call. */
export const headerSafeKey = z.string().regex(/^[\x21-\x7e]+$/, 'expected a key without spaces or line ends')

/** The path of a mounted file with a secret, which is read anew when it changes: see `secret-files.ts`. */
export const secretFile = z.string().min(1).optional()

/** Becomes part of a host name. */
const hostPart = (example: string) =>
  z.string().regex(/^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/, `expected a name such as ${example}`)

/** Of `~/.aws/config`. */
export const awsProfile = z
  .string()
  .regex(/^[^\s[\]](?:[^[\]\r\n]*[^\s[\]])?$/, 'expected the name of a profile')
export const roleArn = z
  .string()
  .regex(/^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/, 'expected arn:aws:iam::123456789012:role/NAME')

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
  /** Only for `azure`: the tenant of Entra ID, by its id or domain; AZURE_TENANT_ID when absent. */
  tenant_id: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'expected the id or the domain of a tenant')
    .optional(),
  /** Only for `azure`: the application or managed identity; AZURE_CLIENT_ID when absent. */
  client_id: z
    .string()
    .regex(/^[\w-]{1,100}$/, 'expected the id of an application or a managed identity')
    .optional(),
  /** Only for `azure`: the secret of the application; AZURE_CLIENT_SECRET when absent. */
  client_secret: z.string().min(1).optional(),
  client_secret_file: secretFile,
  /** Only for `azure`: where sovereign clouds have Entra ID; AZURE_AUTHORITY_HOST when absent. */
  authority: httpUrl.optional(),
  /** Only for `azure`: what tokens of Entra ID are for. */
  scope: z.string().regex(/^\S+$/, 'expected a scope such as https://ai.azure.com/.default').optional(),
  /** Only for `vertex`: the project's id; that of the credentials when absent. */
  project: z
    .string()
    .regex(/^[\w.:-]{1,100}$/, 'expected the id of a project')
    .optional(),
  /** Only for `vertex`: a region, `global`, `eu` or `us`. */
  location: hostPart('us-central1').optional(),
  /** Only for `vertex`: the JSON of a service account's key, or of other credentials of Google's. */
  credentials: z.string().min(1).optional(),
  /** Only for `vertex`: a file with that JSON. */
  credentials_file: z.string().min(1).optional(),
  /** Only for `bedrock`. */
  region: hostPart('us-east-1').optional(),
  /** Only for `bedrock`: a profile of `~/.aws/config`, which AWS's own tools use; AWS_PROFILE when absent. */
  profile: awsProfile.optional(),
  /** Only for `bedrock`: a role that is taken on with the keys that there are. */
  role_arn: roleArn.optional(),
  /** Only for `bedrock`: AWS keys, which sign each call. Without them they are looked for where AWS's own tools do. */
  access_key_id: headerSafeKey.optional(),
  secret_access_key: headerSafeKey.optional(),
  /** Only for `bedrock`: comes with temporary AWS keys. */
  session_token: headerSafeKey.optional(),
  /** Only for `bedrock`: mounted files with these. */
  access_key_id_file: secretFile,
  secret_access_key_file: secretFile,
  session_token_file: secretFile,
}

const membersOf = (text: string): Readonly<Record<string, unknown>> => {
  try {
    return JSON.parse(text) ?? {}
  } catch {
    return {}
  }
}

/** Whether a text is the JSON of a service account's key, as Google's console hands it out. */
export const isServiceAccount = (text: string): boolean => {
  const { type, client_email, private_key } = membersOf(text)
  return type === 'service_account' && typeof client_email === 'string' && typeof private_key === 'string'
}

/** What gcloud writes, and the console hands out for identities of other clouds. */
const otherCredentials: readonly unknown[] = [
  'authorized_user',
  'external_account',
  'external_account_authorized_user',
  'impersonated_service_account',
]

/** Whether a text is the JSON of any credentials that Google's own libraries take. */
export const isGoogleCredentials = (text: string): boolean =>
  isServiceAccount(text) || otherCredentials.includes(membersOf(text).type)

/** What lets a provider be called beside `api_key` and `api_keys`: kept secret, and from the environment as a rule. */
export const vendorCredentials = [
  'credentials',
  'access_key_id',
  'secret_access_key',
  'session_token',
  'client_secret',
] as const
