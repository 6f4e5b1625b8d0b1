import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import type { Catalogue } from '../catalogue.ts'

const entriesOf = (pages: readonly unknown[], member: string): readonly JsonObject[] =>
  pages.flatMap(page => objectsIn(isJsonObject(page) ? page[member] : undefined))

const objectsIn = (list: unknown): readonly JsonObject[] =>
  Array.isArray(list) ? list.filter(isJsonObject) : []

const has = (list: unknown, word: string): boolean => Array.isArray(list) && list.includes(word)

const isLegacy = ({ modelLifecycle }: JsonObject): boolean =>
  isJsonObject(modelLifecycle) && modelLifecycle.status === 'LEGACY'

interface Named {
  /** By which the model itself goes. */
  readonly model: string
  /** By which it is called. */
  readonly name: string
}

/** Those of AWS by their ids, which say where the model may run; those of users by their ARN, as `Converse` wants it. */
const namedBy = (profile: JsonObject): readonly Named[] => {
  const { type, status, inferenceProfileId: id, inferenceProfileArn: arn, models } = profile
  const name = type === 'APPLICATION' ? arn : id
  const [first] = objectsIn(models)
  // `arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-…`
  const model = String(first?.modelArn).replace(/^.*foundation-model\//, '')
  return status === 'ACTIVE' && typeof name === 'string' ? [{ model, name }] : []
}

/** `bedrock-runtime.…`, also with FIPS and in a VPC, is where calls go; the control plane is beside it. */
const controlPlane = ({ protocol, hostname }: URL): URL | null => {
  const host = hostname.replace(/(^|\.)bedrock-runtime(?=[.-])/, '$1bedrock')
  return host === hostname ? null : new URL(`${protocol}//${host}`)
}

/**
 * What answers chats in a region: the inference profiles, by which alone most of the newer models are called, and the models
 * that are called by their own ids. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html,
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListInferenceProfiles.html
 */
export const bedrockCatalogue: Catalogue = {
  host: (base, { AWS_ENDPOINT_URL_BEDROCK: told }) => (told ? URL.parse(told) : controlPlane(base)),
  // Where no type is asked for, the profiles of users are left out.
  paths: () => [
    '/foundation-models',
    '/inference-profiles?maxResults=1000&type=SYSTEM_DEFINED',
    '/inference-profiles?maxResults=1000&type=APPLICATION',
  ],
  next: ['nextToken', 'nextToken'],
  namesIn: ([modelPages = [], ...profilePages]) => {
    const known = new Map(
      entriesOf(modelPages, 'modelSummaries').map(entry => [String(entry.modelId), entry] as const),
    )
    const profiles = profilePages.flatMap(pages => entriesOf(pages, 'inferenceProfileSummaries'))
    const direct = [...known].flatMap(([model, { inferenceTypesSupported: ways }]) =>
      has(ways, 'ON_DEMAND') ? [{ model, name: model }] : [],
    )
    // Of a model that this region does not have, nobody says what it answers.
    const answersText = ({ model }: Named): boolean =>
      !known.has(model) || has(known.get(model)!.outputModalities, 'TEXT')
    const named = [...profiles.flatMap(namedBy), ...direct].filter(answersText)
    // What is on its way out still serves those who have it.
    const late = ({ model }: Named): boolean => known.has(model) && isLegacy(known.get(model)!)
    const ordered = [...named.filter(one => !late(one)), ...named.filter(late)]
    return [...new Set(ordered.map(({ name }) => name))]
  },
}
