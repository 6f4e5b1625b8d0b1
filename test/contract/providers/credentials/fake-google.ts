import type { RequestListener } from 'node:http'
import { expect } from 'vitest'
import { answering } from '../recording-upstream.ts'

export const scope = 'https://www.googleapis.com/auth/cloud-platform'
export const granted = { access_token: 'ya29.adc', expires_in: 3599, token_type: 'Bearer' }

/** https://cloud.google.com/compute/docs/metadata/overview */
export const metadata: RequestListener = (incoming, response) => {
  if (incoming.headers['metadata-flavor'] !== 'Google') return answering(403, {})(incoming, response)
  response.setHeader('metadata-flavor', 'Google')
  const { pathname, searchParams } = new URL(incoming.url!, 'http://metadata')
  if (pathname.endsWith('/project/project-id')) return void response.end('project-of-machine')
  if (pathname.endsWith('/universe/universe-domain')) return void response.end('googleapis.com')
  if (pathname.endsWith('/service-accounts/default/token')) {
    expect(searchParams.get('scopes')).toBe(scope)
    return answering(200, granted, { 'metadata-flavor': 'Google' })(incoming, response)
  }
  response.end('')
}
