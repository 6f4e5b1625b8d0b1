import { routeFor } from '../domain/routing/chain.ts'
import { isWildcard } from '../domain/routing/wildcards.ts'
import { didYouMean } from './did-you-mean.ts'
import type { Draft, DraftRoute } from './draft.ts'
import type { Finding, Path } from './fault.ts'

const relation = (path: Path, message: string, suggestion?: string): Finding => ({
  code: 'relation',
  path,
  message,
  suggestion,
})

const namesIn = ({ models }: Draft): string[] => Object.keys(models)

/** A provider, alone or with its model, is no route; which one would lead there. */
const howTo = ({ providers }: Draft, next: string): string => {
  const [provider = '', ...model] = next.split('/')
  if (!Object.hasOwn(providers, provider)) return ''
  const name = model.join('/') || 'MODEL'
  return `: write one under models, as ${name}: {provider: ${provider}}, and name that`
}

/** Where a route goes on that there is not. */
export const fallbackFindings = (draft: Draft, name: string, { fallback_to }: DraftRoute): Finding[] =>
  [fallback_to ?? []].flat().flatMap((next, index) => {
    const path: Path = ['models', name, 'fallback_to', ...(Array.isArray(fallback_to) ? [index] : [])]
    if (isWildcard(next) && !isWildcard(name))
      return relation(path, `"${next}" has a star, and "${name}" has none that says what stands for it`)
    if (routeFor(draft, next) !== undefined) return []
    const advice = howTo(draft, next)
    const meant = advice === '' ? didYouMean(next, namesIn(draft)) : undefined
    return relation(path, `there is no route "${next}"${advice}`, meant)
  })

const hasStars = (text: string): boolean => text.indexOf('*') !== text.lastIndexOf('*')

/** What is wrong about names with a star. */
export const wildcardFindings = (name: string, { upstream_model, cache, mirror }: DraftRoute): Finding[] => {
  const path: Path = ['models', name]
  if (!isWildcard(name))
    return upstream_model !== undefined && isWildcard(upstream_model)
      ? [
          relation(
            [...path, 'upstream_model'],
            `has a star, and "${name}" has none that says what stands for it`,
          ),
        ]
      : []
  const findings: Finding[] = []
  if (hasStars(name)) findings.push(relation(path, 'has more than one star'))
  if (upstream_model !== undefined && hasStars(upstream_model))
    findings.push(relation([...path, 'upstream_model'], 'has more than one star'))
  // Both keep something for each name, and clients choose the names.
  for (const [setting, value] of Object.entries({ cache, mirror }))
    if (value !== undefined)
      findings.push(
        relation([...path, setting], 'is for a route without a star: give the model one of its own'),
      )
  return findings
}

/** What is wrong about other names of routes. */
export const aliasFindings = (draft: Draft): Finding[] =>
  Object.entries(draft.aliases).flatMap(([alias, route]) => {
    const path: Path = ['aliases', alias]
    if (route === undefined) return []
    if (isWildcard(alias) || isWildcard(route))
      return [relation(path, 'has a star: only a route may have one, see models')]
    if (Object.hasOwn(draft.models, alias)) return [relation(path, 'is the name of a route as well')]
    if (routeFor({ models: draft.models }, route) !== undefined) return []
    const why = Object.hasOwn(draft.aliases, route)
      ? `"${route}" is an alias itself`
      : `there is no route "${route}"`
    return [relation(path, why, didYouMean(route, namesIn(draft)))]
  })
