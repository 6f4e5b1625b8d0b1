import { isWildcard } from '../domain/routing/wildcards.ts'
import type { Route } from './routes.ts'

/** Clients choose the names that a wildcard stands for: so many are remembered. */
const mostNames = 1_000

/**
 * The routes of a config by their names, those with a star among them. Asked for one, it finds the route of that name, of the alias,
 * or the wildcard that says most of it; a name with a star is nobody's to ask for.
 */
export class RouteTable extends Map<string, Route> {
  readonly #aliases: ReadonlyMap<string, string>
  readonly #resolve: (name: string) => Route | undefined
  readonly #found = new Map<string, Route>()

  /** `resolve`: the route of a name that a wildcard stands for. */
  constructor(
    routes: Iterable<readonly [string, Route]>,
    aliases: Readonly<Record<string, string>>,
    resolve: (name: string) => Route | undefined,
  ) {
    super(routes)
    this.#aliases = new Map(Object.entries(aliases))
    this.#resolve = resolve
  }

  override get(name: string): Route | undefined {
    if (isWildcard(name)) return undefined
    const own = super.get(name)
    if (own !== undefined) return own
    const real = this.#aliases.get(name)
    if (real === undefined) return this.#byWildcard(name)
    const route = super.get(real) ?? this.#byWildcard(real)
    return route && { ...route, name: real }
  }

  override has(name: string): boolean {
    return this.get(name) !== undefined
  }

  /** What is known of the models behind wildcards has changed. */
  resolveAnew(): void {
    this.#found.clear()
  }

  get aliases(): Iterable<string> {
    return this.#aliases.keys()
  }

  #byWildcard(name: string): Route | undefined {
    const known = this.#found.get(name)
    if (known !== undefined) {
      this.#found.delete(name)
      this.#found.set(name, known)
      return known
    }
    const route = this.#resolve(name)
    if (route === undefined) return undefined
    this.#found.set(name, route)
    if (this.#found.size > mostNames) this.#found.delete(this.#found.keys().next().value!)
    return route
  }
}
