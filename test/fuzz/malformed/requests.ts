import { boundary, file, formOf } from '../../api/forms.ts'
import {
  type DescribedRoute,
  type Document,
  type Parameter,
  routesOf,
  type Schema,
} from '../../api/openapi/document.ts'
import type { Chance } from './chance.ts'
import type { Draft } from './draft.ts'
import { type Known, promptMark, sampleOf, unusedProvider } from './samples.ts'

/** Draws requests that the description says are right, one over all routes after the other. */
export const createRequests = (document: Document, known: Known) => {
  const routes = routesOf(document)

  const value = (schema: Schema, chance: Chance): unknown => sampleOf(document, known, schema, chance)

  const idFor = (path: string, chance: Chance): string => {
    const ids = idsOf(path, known)
    return encodeURIComponent(chance.pick(ids))
  }

  const parametersIn = (route: DescribedRoute, location: Parameter['in'], chance: Chance) =>
    (route.operation.parameters ?? [])
      .filter(p => p.in === location && (p.required || chance.hit(0.4)))
      .map(({ name, schema }): [string, string] => [
        name,
        headerValue(name, chance) ?? String(value(schema, chance)),
      ])
      .filter(([, text]) => text !== 'undefined')

  return {
    count: routes.length,
    draw: (index: number, chance: Chance): Draft => {
      const route = routes[index % routes.length]!
      const { method, path, operation } = route
      const query = new URLSearchParams(parametersIn(route, 'query', chance)).toString()
      const target = path.replace(/\{\w+\}/, () => idFor(path, chance))
      const [type, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? []
      const hasBody = content !== undefined && (operation.requestBody!.required || chance.hit(0.5))
      const body = hasBody ? bodyOf(type!, value(content.schema, chance)) : null
      return {
        route,
        method,
        target: query === '' ? target : `${target}?${query}`,
        version: 'HTTP/1.1',
        headers: [
          ['host', 'localhost'],
          ['authorization', `Bearer ${known.apiKey}`],
          ...(body ? [['content-type', typeWithBoundary(type!)] as [string, string]] : []),
          ...parametersIn(route, 'header', chance),
        ],
        body,
        framing: chance.hit(0.8) ? 'length' : 'chunks',
      }
    },
  }
}

const typeWithBoundary = (type: string): string =>
  type === 'multipart/form-data' ? `${type}; boundary=${boundary}` : type

const bodyOf = (type: string, value: unknown): Buffer => {
  if (type !== 'multipart/form-data') return Buffer.from(JSON.stringify(value))
  const fields = Object.entries(value as Record<string, string>)
  return formOf(
    fields.map(([name, text]) =>
      name === 'file' || name === 'data' ? { ...file(`${promptMark}\n`), name } : { name, value: text },
    ),
  )
}

/** Keys differ from request to request, or one of each route would be all that is ever made. */
const headerValue = (name: string, chance: Chance): string | undefined => {
  if (name === 'idempotency-key') return `key-${chance.whole(1e9)}`
  if (name === 'prefer') return chance.pick(['wait=1', 'respond-async'])
  if (name === 'range') return `bytes=${chance.whole(9)}-`
  return name === 'anthropic-version' ? '2023-06-01' : undefined
}

const idsOf = (path: string, known: Known): readonly string[] => {
  if (path.startsWith('/v1/messages/batches')) return known.messageBatches
  if (path.startsWith('/v1/batches')) return known.batches
  if (path.startsWith('/v1/files')) return known.files
  if (path.startsWith('/v1/uploads')) return known.uploads
  if (path.startsWith('/v1/providers')) return [unusedProvider]
  return path.startsWith('/v1/models') ? ['gpt-4', 'claude'] : known.jobs
}
