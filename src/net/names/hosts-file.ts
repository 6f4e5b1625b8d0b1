import { isIP } from 'node:net'

/** Where the system keeps names of its own. */
export const hostsPath =
  process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts'

/** Every address of each name, in lower case, in the order of the file. */
export const parseHosts = (text: string): ReadonlyMap<string, readonly string[]> => {
  const addresses = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (isIP(address) === 0) continue
    for (const name of names) {
      const known = addresses.get(name.toLowerCase())
      if (known === undefined) addresses.set(name.toLowerCase(), [address])
      else if (!known.includes(address)) known.push(address)
    }
  }
  return addresses
}
