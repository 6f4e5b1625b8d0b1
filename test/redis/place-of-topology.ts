import { configSchema } from '../../src/config/schema.ts'
import { type RedisPlace, redisPlaceOf } from '../../src/redis/place.ts'

/** Where Redis is, by the way that a config takes. */
export const placeOfTopology = ({ config }: { readonly config: object }): RedisPlace =>
  redisPlaceOf(configSchema.parse({ redis: config }).redis)!
