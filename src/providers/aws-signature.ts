import { AwsV4Signer } from 'aws4fetch'
import type { Signable } from './credentials/access.ts'
import type { AwsKeys } from './credentials/aws.ts'

/**
 * The headers of a request to Bedrock with its Signature Version 4. The AI SDK would sign as well, but signs the body as it has
 * written it, and that is not yet what goes out.
 */
export const signedByAws = async (
  { method, origin, path, headers, body }: Signable,
  keys: AwsKeys,
  { region, nowMs }: { readonly region: string; readonly nowMs: number },
): Promise<Record<string, string>> => {
  const { accessKeyId, secretAccessKey, sessionToken } = keys
  // AWS refuses what was signed five minutes ago, or will be: that of the host's clock might be.
  const datetime = new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, '')
  const signer = new AwsV4Signer({
    ...{ url: origin + path, method, body: body ?? '', service: 'bedrock', region, datetime },
    ...{ accessKeyId, secretAccessKey },
    ...(sessionToken !== undefined && { sessionToken }),
  })
  const signed = await signer.sign()
  const { host: _, ...shown } = Object.fromEntries(signed.headers)
  return { ...shown, ...headers }
}
