import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'vitest'
import { openUpstream } from '../open-provider.ts'
import { answering } from '../recording-upstream.ts'
import { gemini, geminiErrors } from './gemini.ts'
import type { Vendor } from './vendor.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})

/** The pair to the key of every account here. */
export const accountPublicKey = publicKey

/** The JSON that the console hands out for a service account, with a token server of one's own. */
export const serviceAccount = (tokenUrl: string): string =>
  JSON.stringify({
    type: 'service_account',
    project_id: 'my-project',
    private_key_id: '0123456789abcdef',
    private_key: privateKey,
    client_email: 'baton@my-project.iam.gserviceaccount.com',
    client_id: '1234567890',
    auth_uri: 'https://accounts.google.com/o/oauth2/auth',
    token_uri: tokenUrl,
    universe_domain: 'googleapis.com',
  })

export const tokenAnswer = { access_token: 'ya29.test', expires_in: 3599, token_type: 'Bearer' }

export const vertexSettings = (url: string, tokenUrl: string): Record<string, unknown> => ({
  type: 'vertex',
  base_url: url,
  project: 'my-project',
  location: 'us-central1',
  credentials: serviceAccount(tokenUrl),
})

const error = (code: number, status: string, message: string, details: object[] = []) => ({
  status: code,
  body: { error: { code, message, status, details } },
})

export const vertex: Vendor = {
  ...gemini,
  name: 'vertex',
  settings: async url => {
    const tokens = await openUpstream(answering(200, tokenAnswer))
    return vertexSettings(url, `${tokens.url}/token`)
  },
  key: null,
  model: 'gemini-2.0-flash',
  path: '/v1beta1/projects/my-project/locations/us-central1/publishers/google/models/gemini-2.0-flash:generateContent',
  checkAuth: ({ headers }) => {
    expect(headers.authorization).toBe('Bearer ya29.test')
    expect(headers['x-goog-api-key']).toBeUndefined()
  },
  errors: {
    ...geminiErrors,
    throttled: {
      ...error(429, 'RESOURCE_EXHAUSTED', 'Resource exhausted. Please try again later.'),
      verdict: 'rate_limited/resource_exhausted',
    },
    'bad key': {
      ...error(403, 'PERMISSION_DENIED', "Permission 'aiplatform.endpoints.predict' denied on resource.", [
        { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'IAM_PERMISSION_DENIED' },
      ]),
      verdict: 'bad_credentials/iam_permission_denied',
    },
    'unknown model': {
      ...error(
        404,
        'NOT_FOUND',
        'Publisher Model `projects/p/locations/l/publishers/google/models/x` was not found.',
      ),
      verdict: 'unknown_model/not_found',
    },
    'too long': {
      ...error(
        400,
        'INVALID_ARGUMENT',
        'The input token count is 1500000 but model only supports up to 1048576.',
      ),
      verdict: 'too_long/prompt_too_long',
    },
  },
  extras: [
    { body: { seed: 7 }, arrives: { generationConfig: { seed: 7 } } },
    {
      body: { presence_penalty: 0.5, frequency_penalty: -0.5 },
      arrives: { generationConfig: { presencePenalty: 0.5, frequencyPenalty: -0.5 } },
    },
  ],
}
