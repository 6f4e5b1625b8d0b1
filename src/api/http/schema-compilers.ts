import type { FastifyServerOptions } from 'fastify'

const isNone = (what: string) => () => () => {
  throw new Error(`there is no ${what} but those that are set`)
}

/**
 * Bodies and queries are checked by zod, and answers are written as the text that they are. Without these Fastify loads Ajv and
 * fast-json-stringify at each start, for nothing; the bundle has neither.
 */
export const schemaCompilers: Pick<FastifyServerOptions, 'schemaController'> = {
  schemaController: {
    compilersFactory: { buildValidator: isNone('validator'), buildSerializer: isNone('serializer') },
  },
}
