import { didYouMean } from '../../config/did-you-mean.ts'
import type { KeyOrigin } from '../../config/keys.ts'
import { Interrupt } from '../../domain/interrupt.ts'
import { resolveRoutes } from '../../domain/routing/chain.ts'
import { hasModel } from '../../domain/routing/listed-models.ts'
import { isWildcard } from '../../domain/routing/wildcards.ts'
import { openProvider } from '../check-keys.ts'
import type { OpenConfig } from '../open-config.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn } = findingsOf('providers')

/** The models of a provider that routes lead to, by the names that are sent. */
const askedFor = ({ config }: OpenConfig, provider: string): readonly string[] => {
  const targets = [...resolveRoutes(config).values()].flat().filter(target => target.provider === provider)
  return [...new Set(targets.map(({ model }) => model))].filter(model => !isWildcard(model))
}

/** Compares what routes ask a provider for with what it lists; nothing where it lists nothing. Never throws. */
export const examineModels = async (opened: OpenConfig, origin: KeyOrigin): Promise<readonly Finding[]> => {
  const { provider: name, setting, value } = origin
  const { config, env } = opened
  const provider = openProvider(name, config.providers[name]!, { ...config.proxy, env })
  const models = await provider?.listModels?.(setting === undefined ? value : null, new Interrupt())
  await provider?.close()
  if (!models || models.length === 0) return []
  const asked = askedFor(opened, name)
  const absent = asked.filter(model => !hasModel(models, model))
  const subject = `${name} models`
  if (absent.length === 0) return [ok(subject, `${models.length} listed, those of its routes among them`)]
  return absent.map(model => {
    const meant = didYouMean(model, models)
    const hint = meant === undefined ? '' : `, but "${meant}"`
    return warn(
      subject,
      `"${model}" is not among the ${models.length} that it lists${hint}`,
      'Compare `upstream_model`. Some vendors take names that they do not list: one request shows it.',
    )
  })
}
