import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const found = (): string | undefined =>
  process.env.PATH?.split(delimiter)
    .map(folder => join(folder, 'kubectl'))
    .find(path => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })

/** The path of kubectl, for `kubectl kustomize`; on a bare Debian it is installed first, which needs root. */
export const kubectl = async (): Promise<string> => {
  const path = found()
  if (path !== undefined) return path
  const apt = (...args: readonly string[]) =>
    run('apt-get', [...args], { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  await apt('update')
  await apt('install', '-y', '--no-install-recommends', 'kubernetes-client')
  return found()!
}
