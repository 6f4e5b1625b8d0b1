import { createSign } from 'node:crypto'
import { withoutCredentials } from './credential-error.ts'
import { tokenOf } from './oauth-answer.ts'
import type { Asked } from './renewed.ts'
import { postForm, type TokenServers } from './token-servers.ts'

/** The key of a service account, as Google's console hands it out. */
export interface ServiceAccount {
  readonly client_email: string
  /** PEM. */
  readonly private_key: string
  readonly private_key_id?: string
  readonly token_uri?: string
  readonly project_id?: string
}

export const googleScope = 'https://www.googleapis.com/auth/cloud-platform'
const googleTokens = 'https://oauth2.googleapis.com/token'

/** RFC 7523, as https://developers.google.com/identity/protocols/oauth2/service-account has it. */
const assertionOf = (account: ServiceAccount, nowMs: number): string => {
  const { client_email: iss, private_key, private_key_id: kid } = account
  const iat = Math.floor(nowMs / 1_000)
  const header = { alg: 'RS256', typ: 'JWT', ...(kid && { kid }) }
  const claims = { iss, scope: googleScope, aud: googleTokens, iat, exp: iat + 3_600 }
  const signed = [header, claims]
    .map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(private_key, 'base64url')}`
}

/**
 * A token for the key of a service account. google-auth-library would sign by its host's clock, and Google refuses an
 * assertion that is some minutes off.
 */
export const askForAccount = async (
  servers: TokenServers,
  account: ServiceAccount,
  nowMs: number,
): Promise<Asked<string>> => {
  let assertion: string
  try {
    assertion = assertionOf(account, nowMs)
  } catch {
    return withoutCredentials(
      `The private key of ${account.client_email} cannot be used to sign. Take the JSON of its key as Google's console hands it out.`,
    )
  }
  const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
  const outcome = await postForm(servers, new URL(account.token_uri ?? googleTokens), {
    grant_type,
    assertion,
  })
  return tokenOf(outcome, {
    askedAtMs: nowMs,
    source: `the service account ${account.client_email}`,
    server: `Google's token server`,
    remedy: `Make a new key for ${account.client_email}, or see whether the account is there and enabled.`,
  })
}
