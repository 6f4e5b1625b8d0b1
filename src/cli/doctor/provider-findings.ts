import { keyOrigins } from '../../config/keys.ts'
import type { BreakReason } from '../../domain/upstream.ts'
import { checkKeys, isBad, type KeyCheck } from '../check-keys.ts'
import type { OpenConfig } from '../open-config.ts'
import { type Finding, findingsOf } from './finding.ts'
import { examineModels } from './model-findings.ts'

const { ok, warn, bad, skipped } = findingsOf('providers')

/** Asks each provider that a route leads to with each of its keys: so its name, its TLS and its keys are tried. */
export const examineProviders = async (opened: OpenConfig): Promise<readonly Finding[]> => {
  const origins = keyOrigins(opened.file)
  const checks = await checkKeys(opened, origins)
  const found = await Promise.all(
    origins.map(async (origin, i) => {
      const check = checks[i] ?? null
      if (check === null) return []
      const sameProvider = origins.filter(({ provider }) => provider === origin.provider)
      const number = sameProvider.length > 1 ? ` key ${sameProvider.indexOf(origin) + 1}` : ''
      const isFirst = sameProvider[0] === origin
      const models = isFirst && check.standing === 'ok' ? await examineModels(opened, origin) : []
      return [findingOf(`${origin.provider}${number}`, check), ...models]
    }),
  )
  return found.flat()
}

const unreached: Readonly<Partial<Record<BreakReason, readonly [found: string, remedy: string]>>> = {
  dns: ['its name is not resolved', 'Check `base_url`, and the name servers of this host or `dns.servers`.'],
  connect: ['no connection', 'Check `base_url`, firewalls, and `proxy` in the config.'],
  tls: [
    'its certificate is not accepted',
    'Check the date of this host, `base_url`, and NODE_EXTRA_CA_CERTS.',
  ],
  timeout: ['no answer within 10 s', 'Check `base_url` and the status page of the provider.'],
}

/** The sentence ends with what to do. */
const withoutCredentials = (subject: string, fault: string): Finding => {
  const end = fault.indexOf('. ')
  return end < 0
    ? bad(subject, fault, 'Compare the settings with docs/providers.md.')
    : bad(subject, fault.slice(0, end), fault.slice(end + 2))
}

const findingOf = (subject: string, check: KeyCheck): Finding => {
  const { standing, status, reason, latencyMs, found: identity, fault } = check
  if (fault !== null) return withoutCredentials(subject, fault)
  const shown = identity === null ? 'key' : `credentials (${identity})`
  const took = latencyMs === null ? '' : ` in ${latencyMs} ms`
  const answer = status === null ? '' : ` (${status})`
  switch (standing) {
    case 'ok':
      return ok(subject, `name, TLS and ${shown} are good: answered${took}`)
    case 'throttled':
      return warn(subject, `its key is good, and throttled now${answer}`, 'Nothing, if it passes.')
    case 'simulated':
      return skipped(subject, 'simulated: nothing is called')
    case 'missing':
      return bad(subject, 'has no key', 'Set its variable in the environment or in `.env`: npx baton keys.')
    case 'unusable':
      return bad(subject, 'its credentials cannot be read', 'Compare them with docs/providers.md.')
    case 'refused':
      return bad(
        subject,
        `its ${shown} ${identity === null ? 'is' : 'are'} refused${answer}`,
        'Make a new key, or allow this one what routes ask for.',
      )
    case 'out_of_quota':
      return bad(
        subject,
        `its account has no credit left${answer}`,
        'Add credit, or take it out of the routes.',
      )
    case 'unreachable': {
      if (status !== null)
        return bad(
          subject,
          `has trouble: answered${answer}${took}`,
          'Look at its status page, and check `base_url`.',
        )
      const [found, remedy] = unreached[reason ?? 'connect'] ?? [
        `no whole answer (${reason})`,
        'Check `base_url`.',
      ]
      return bad(subject, found, remedy)
    }
    default:
      return (isBad(check) ? bad : warn)(
        subject,
        `answered${answer}${took}, which does not tell whether its key is good`,
        'Send one request through it: it may have no list of models.',
      )
  }
}
