import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** What would tell libraries of an identity, or where to look for one. */
const telling = /^(?:AWS_|GOOGLE_|GCLOUD_|GCE_|CLOUDSDK_|AZURE_|IDENTITY_|METADATA_|HOME$|K_SERVICE$)/

/** The environment of a host without any identity, but for these variables, for the length of the test. */
export const surroundedBy = (variables: Readonly<Record<string, string>>): void => {
  const before = Object.entries(process.env).filter(([name]) => telling.test(name))
  for (const [name] of before) delete process.env[name]
  const nowhere = { HOME: folder(), AWS_EC2_METADATA_DISABLED: 'true', METADATA_SERVER_DETECTION: 'none' }
  Object.assign(process.env, nowhere, variables)
  onTestFinished(() => {
    for (const name of Object.keys(process.env).filter(name => telling.test(name))) delete process.env[name]
    Object.assign(process.env, Object.fromEntries(before))
  })
}

/** A folder for the length of the test. */
export const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'baton-identity-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

export const fileWith = (text: string): string => {
  const path = join(folder(), 'file')
  writeFileSync(path, text)
  return path
}
