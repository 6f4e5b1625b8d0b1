import { type DescribedRoute, type Document, routesOf, type Schema } from './document.ts'

const types = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'])
const locations = new Set(['path', 'query', 'header'])

/** What in a document is not as OpenAPI 3.1 wants it, as far as one such as ours can go wrong. */
export const faultsOf = (document: Document): string[] => {
  const { openapi, info, servers, paths, components } = document
  const routes = routesOf(document)
  return [
    ...(openapi === '3.1.0' ? [] : ['openapi']),
    ...(info.title && info.version ? [] : ['info']),
    ...(servers.every(({ url }) => url !== '') ? [] : ['servers']),
    ...Object.keys(paths).filter(path => !path.startsWith('/') || /[:*]/.test(path)),
    ...repeated(routes.map(({ operation }) => operation.operationId)),
    ...repeated(Object.keys(paths).map(path => path.replace(/\{\w+\}/g, '{}'))),
    ...routes.flatMap(route => routeFaults(document, route)),
    ...Object.entries(components.schemas).flatMap(([name, schema]) => schemaFaults(document, name, schema)),
  ]
}

const repeated = (names: readonly string[]): string[] =>
  names.filter((name, i) => names.indexOf(name) !== i).map(name => `${name} is there twice`)

const routeFaults = (document: Document, { method, path, operation }: DescribedRoute): string[] => {
  const where = `${method} ${path}`
  const { parameters = [], requestBody, responses, tags, summary, security = document.security } = operation
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
  const named = parameters.filter(p => p.in === 'path').map(({ name }) => name)
  const contents = [requestBody?.content, ...Object.values(responses).map(({ content }) => content)]
  const schemes = Object.keys(document.components.securitySchemes)
  return [
    ...(summary ? [] : [`${where}: summary`]),
    ...tags.filter(tag => document.tags.every(({ name }) => name !== tag)).map(tag => `${where}: ${tag}`),
    ...(inPath.join() === named.join() ? [] : [`${where}: path has ${inPath}, parameters are ${named}`]),
    ...repeated(parameters.map(({ name, in: location }) => `${where}: ${location} ${name}`)),
    ...parameters.filter(p => !locations.has(p.in) || (p.in === 'path' && !p.required)).map(p => p.name),
    ...parameters.flatMap(p => schemaFaults(document, `${where}: ${p.name}`, p.schema)),
    ...(requestBody && ['GET', 'DELETE'].includes(method) ? [`${where}: body`] : []),
    ...Object.entries(responses)
      .filter(([status, { description }]) => !/^([1-5]\d\d|default)$/.test(status) || !description)
      .map(([status]) => `${where}: ${status}`),
    ...(operation.deprecated || Object.keys(responses).some(status => status.startsWith('2'))
      ? []
      : [`${where}: no success`]),
    ...security.flatMap(Object.keys).filter(name => !schemes.includes(name)),
    ...contents.flatMap(content =>
      Object.entries(content ?? {}).flatMap(([type, { schema }]) =>
        schemaFaults(document, `${where}: ${type}`, schema),
      ),
    ),
  ]
}

const schemaFaults = (document: Document, where: string, schema: Schema): string[] => {
  const { $ref, type, properties = {}, required = [], items, anyOf = [], pattern } = schema
  if ($ref !== undefined) {
    const [, name] = /^#\/components\/schemas\/(\w+)$/.exec($ref) ?? []
    return name !== undefined && document.components.schemas[name] ? [] : [`${where}: ${$ref}`]
  }
  const nested: [string, Schema | boolean | undefined][] = [
    ...Object.entries(properties),
    ['items', items],
    ['additionalProperties', schema.additionalProperties],
    ...anyOf.map((one, i): [string, Schema] => [`anyOf ${i}`, one]),
  ]
  return [
    ...[type ?? []]
      .flat()
      .filter(name => !types.has(name))
      .map(name => `${where}: type ${name}`),
    ...required.filter(name => !Object.hasOwn(properties, name)).map(name => `${where}: no ${name}`),
    ...(isPattern(pattern ?? '') ? [] : [`${where}: ${pattern}`]),
    ...('nullable' in schema ? [`${where}: nullable is of OpenAPI 3.0`] : []),
    ...nested.flatMap(([name, one]) =>
      typeof one === 'object' ? schemaFaults(document, `${where}.${name}`, one) : [],
    ),
  ]
}

const isPattern = (text: string): boolean => {
  try {
    return new RegExp(text, 'u') instanceof RegExp
  } catch {
    return false
  }
}
