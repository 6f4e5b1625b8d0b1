import type { Endpoint } from '../domain/endpoint.ts'

/** The path of a base address, without a slash at its end. */
export const basePath = (base: URL): string => base.pathname.replace(/\/+$/, '')

/** The part of an endpoint that follows its version. */
export const withoutVersion = (endpoint: Endpoint): string => endpoint.slice('/v1'.length)

/**
 * The path of an endpoint of an API like OpenAI's. Clients are given a base that ends in `/v1`; one that ends otherwise
 * (`/openai`, `/api/v3`) stands in the place of `/v1`.
 */
export const openaiPath = (base: URL, endpoint: Endpoint): string => basePath(base) + withoutVersion(endpoint)

/** Where an API like OpenAI's lists its models. */
export const openaiListing = (base: URL): string => `${basePath(base)}/models`
