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
  (
    keys: AwsKeys,
    fetch: typeof globalThis.fetch,
    written: (body: string) => string,
    now: () => number,
  ): typeof fetch =>
  async (url, init) => {
    const body = written(String(init?.body))
    // AWS refuses what was signed five minutes ago, or will be: that of the host's clock might be.
    const datetime = new Date(now()).toISOString().replace(/[:-]|\.\d{3}/g, '')
    const request = { url: String(url), method: 'POST', body }
    const signer = new AwsV4Signer({ ...keys, ...request, service: 'bedrock', datetime })
    const { headers } = await signer.sign()
    return fetch(url, { ...init, body, headers })
  }
