import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createNameServers, NameError, type NameServers } from './ask-servers.ts'
import { createNameMemory } from './name-memory.ts'
import { fullNames, parseResolverSettings, resolverPath } from './resolver-settings.ts'
import { createShares } from './shares.ts'
import { watchTextFile } from './text-file.ts'

export interface ResolveOptions {
  /**
   * Who asks: each has its own share of the names that may be looked up at once. Without one there is no
   * limit.
   */
  readonly share?: string
  /** Ends the wait, with a NameError; what is under way goes on for the others who wait for it. */
  readonly signal?: AbortSignal
}

export interface NameResolver {
  /** Every address of a name, IPv4 before IPv6. Rejects with a NameError. */
  resolve(hostname: string, options?: ResolveOptions): Promise<readonly string[]>
  /** Ends what is under way. May be called twice. */
  close(): void
}

export interface NameResolverOptions {
  /** In place of those of resolv.conf: addresses, with a port where it is not 53. */
  readonly servers?: readonly string[]
  /** The longest that one name is looked up. */
  readonly timeoutMs?: number
  /** Names that one share may have under way. */
  readonly perShare?: number
  /**
   * Whether a name that no server knows is asked of the system, which may know more than files and servers.
   * It holds one of the few threads for as long as that takes, so this is for names that the operator chose.
   */
  readonly asksSystem?: boolean
  readonly hostsPath?: string
  readonly resolverPath?: string
  readonly now?: () => number
}

/**
 * Resolves names as the system does, by its hosts file, its search domains and its name servers, but with
 * none of its threads: of those a process has four, for files too, and a silent name server holds one for as
 * long as it likes.
 */
export const createNameResolver = (options: NameResolverOptions = {}): NameResolver => {
  const { servers = [], timeoutMs = 5_000, perShare = 16, asksSystem = false } = options
  const now = options.now ?? (() => performance.now())
  const hosts = watchTextFile(options.hostsPath ?? hostsPath, parseHosts, now)
  const settings = watchTextFile(options.resolverPath ?? resolverPath, parseResolverSettings, now)
  const memory = createNameMemory(now)
  const shares = createShares(perShare)
  const underWay = new Map<string, Promise<readonly string[]>>()
  let asked: { readonly key: string; readonly servers: NameServers } | null = null
  let systemTurn: Promise<unknown> = Promise.resolve()

  const serversNow = (): NameServers => {
    const list = servers.length > 0 ? servers : settings().servers
    const key = list.join(' ')
    if (asked?.key !== key) asked = { key, servers: createNameServers(list) }
    return asked.servers
  }

  /** One name at a time, so that no more than one thread is ever held. */
  const askSystem = async (name: string): Promise<readonly string[]> => {
    const mine = systemTurn.then(() => lookup(name, { all: true, order: 'ipv4first' }))
    systemTurn = mine.catch(() => undefined)
    const late = delay(timeoutMs, null, { ref: false })
    const found = await Promise.race([mine.catch(() => null), late])
    if (found === null) throw new NameError('ENOTFOUND', name)
    return found.map(({ address }) => address)
  }

  const query = async (name: string): Promise<readonly string[]> => {
    const untilMs = now() + timeoutMs
    let failure: NameError | null = null
    for (const full of fullNames(name, settings())) {
      try {
        const { addresses, ttlMs } = await serversNow().ask(full, Math.max(0, untilMs - now()))
        memory.keep(name, addresses, ttlMs)
        return addresses
      } catch (error) {
        if (!(error instanceof NameError)) throw error
        // A name that one server did not answer for might exist.
        if (failure === null || error.code === 'EAI_AGAIN') failure = error
      }
    }
    if (asksSystem && failure!.code === 'ENOTFOUND') {
      const addresses = await askSystem(name).catch(() => null)
      if (addresses !== null) {
        memory.keep(name, addresses, 0)
        return addresses
      }
    }
    return memory.fail(name, failure!)
  }

  const begin = (name: string, share: string | undefined): Promise<readonly string[]> => {
    const asking = query(name).finally(() => {
      underWay.delete(name)
      if (share !== undefined) shares.giveBack(share)
    })
    underWay.set(name, asking)
    return asking
  }

  const lookUp = async (name: string, { share, signal }: ResolveOptions): Promise<readonly string[]> => {
    for (;;) {
      if (signal?.aborted) throw new NameError('EAI_AGAIN', name)
      const known = memory.recall(name)
      if (known !== null) return known
      const asking = underWay.get(name)
      if (asking !== undefined) return await orAborted(asking, name, signal)
      // Never in another's share: the name would wait behind all that fills it.
      if (share === undefined || shares.take(share)) return await orAborted(begin(name, share), name, signal)
      await shares.changed(share, signal)
    }
  }

  return {
    resolve: async (hostname, how = {}) => {
      const name = hostname.toLowerCase()
      const bare = name.replace(/\.$/, '')
      const known = hosts().get(bare)
      if (known !== undefined) return known
      // RFC 6761: such names never leave the machine.
      if (bare === 'localhost' || bare.endsWith('.localhost')) return ['127.0.0.1', '::1']
      return lookUp(name, how)
    },
    close: () => asked?.servers.cancel(),
  }
}

const orAborted = <Value>(
  waited: Promise<Value>,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Value> => {
  if (signal === undefined) return waited
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new NameError('EAI_AGAIN', name))
    signal.addEventListener('abort', stop, { once: true })
    waited.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

/** Where the system keeps names of its own. */
const hostsPath = process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts'

/** Every address of each name, in lower case, in the order of the file. */
const parseHosts = (text: string): ReadonlyMap<string, readonly string[]> => {
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
