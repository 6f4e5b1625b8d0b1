import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Certificate {
  readonly keyFile: string
  /** Its own authority: who trusts this trusts the server. */
  readonly certFile: string
}

/** A certificate for `localhost`, good for a day, made by `openssl`; with a key of the kind that most providers have. */
export const makeCertificate = async (dir: string): Promise<Certificate> => {
  const keyFile = join(dir, 'tls-key.pem')
  const certFile = join(dir, 'tls-cert.pem')
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ...['-keyout', keyFile, '-out', certFile],
  ])
  return { keyFile, certFile }
}
