import { createSystem } from '../src/redis/dev/binary.ts'

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
const installs = [
  ['apt-get', '-qq', 'update'],
  ['apt-get', '-qq', 'install', '-y', '--no-install-recommends', 'chromium'],
] as const

/** A path to a browser: that of the system, which apt-get brings where it may, as it brings Redis. */
export const obtainChromium = async (): Promise<string> => {
  const system = createSystem()
  const found = await system.find(...names)
  if (found !== null) return found
  const mayInstall = system.isRoot && (await system.find('apt-get')) !== null
  for (const command of mayInstall ? installs : []) {
    system.say(`no chromium on the PATH; running: ${command.join(' ')}`)
    await system.run(command, true)
  }
  const installed = await system.find(...names)
  if (installed === null) throw new Error('the page needs chromium to be tested: apt-get install chromium')
  return installed
}
