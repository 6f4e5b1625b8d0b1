import { AwsV4Signer } from 'aws4fetch'

export interface AwsKeys {
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | undefined
}

/**
 * A `fetch` that signs what it sends to Bedrock by Signature Version 4. The AI SDK would do so itself, but signs the body as
 * it has written it, and that is not yet what goes out: `written` tells.
 */
export const signing =
  (keys: AwsKeys, fetch: typeof globalThis.fetch, written: (body: string) => string): typeof fetch =>
  async (url, init) => {
    const body = written(String(init?.body))
    const signer = new AwsV4Signer({ ...keys, url: String(url), method: 'POST', body, service: 'bedrock' })
    const { headers } = await signer.sign()
    return fetch(url, { ...init, body, headers })
  }
