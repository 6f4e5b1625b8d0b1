import { stringify } from 'yaml'

/** One provider of the config to be written. */
export interface PlannedProvider {
  readonly type: string
  readonly baseUrl: string | null
  /** Where in a cloud it is: `region`, `resource` and their like. */
  readonly place: Readonly<Record<string, string>>
  /** The variable that has its key; null where it needs none. */
  readonly keyVariable: string | null
  readonly model: string
}

interface PlannedRoute {
  readonly name: string
  readonly provider: PlannedProvider
}

export interface Plan {
  readonly providers: readonly PlannedProvider[]
  readonly port: number
}

export const ownKeyVariable = 'BATON_API_KEY'

/** Each model has a route of its name; where two vendors have the same, the later one's is named after its vendor as well. */
export const routesOf = ({ providers }: Plan): readonly PlannedRoute[] =>
  providers.map((provider, i) => ({
    name: providers.slice(0, i).some(({ model }) => model === provider.model)
      ? `${provider.type}/${provider.model}`
      : provider.model,
    provider,
  }))

const reference = (variable: string): string => `$\{${variable}}`

const documentOf = (plan: Plan): object => {
  const routes = routesOf(plan)
  return {
    providers: Object.fromEntries(
      plan.providers.map(({ type, baseUrl, place, keyVariable }) => [
        type,
        {
          type,
          ...(baseUrl !== null && { base_url: baseUrl }),
          ...place,
          ...(keyVariable !== null && { api_key: reference(keyVariable) }),
        },
      ]),
    ),
    models: Object.fromEntries(
      routes.map(({ name, provider }, i) => {
        // Each brings the ones after it along; back to an earlier one would be a loop.
        const next = routes[i + 1]?.name
        return [
          name,
          {
            provider: provider.type,
            ...(name !== provider.model && { upstream_model: provider.model }),
            ...(next !== undefined && { fallback_to: next }),
          },
        ]
      }),
    ),
    server: { port: plan.port },
    ui: { enabled: true },
    api_keys: [{ key: reference(ownKeyVariable), role: 'operator', name: 'first' }],
  }
}

const notes: readonly (readonly [section: string, note: string])[] = [
  ['providers', 'The vendors that answer. Their keys are in .env, beside this file.'],
  [
    'models',
    'What clients ask for. When a provider fails, throttles or is away, a job goes on to the next.\n# A star stands for any name, as openai/*: {provider: openai}',
  ],
  ['ui', 'The page for operators, at /ui.'],
  ['api_keys', 'What clients show. This one may do everything; others get role: submit, the default.'],
]

/** The config as it is written: with what a reader wants to know, and the path of a schema for editors. */
export const configText = (plan: Plan, schema: string | null): string => {
  // Quoted, as a person would: some editors take the braces for a table.
  const yaml = stringify(documentOf(plan), { lineWidth: 0, collectionStyle: 'any' }).replaceAll(
    /(?<=: )\$\{\w+\}$/gm,
    '"$&"',
  )
  const noted = notes.reduce(
    (text, [section, note]) => text.replace(new RegExp(`^${section}:`, 'm'), `\n# ${note}\n${section}:`),
    yaml.replace(/^server:/m, '\nserver:'),
  )
  const named = schema === null ? '' : `# yaml-language-server: $schema=${schema}\n`
  const docs = (schema ?? '').replace(/[^/]*$/, 'docs/config.md')
  return `${named}# Every setting: ${docs}. Faults are told by: npx baton validate-config\n${noted}`
}
