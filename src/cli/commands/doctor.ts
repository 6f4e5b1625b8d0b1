import { readTime } from '../../clock/clock.ts'
import { ConfigError, renderFault } from '../../config/fault.ts'
import type { ConfigSources } from '../../config/file.ts'
import type { Config } from '../../config/schema.ts'
import { findPrivateRedis } from '../../redis/dev/find.ts'
import { type RedisPlace, redisPlaceOf } from '../../redis/place.ts'
import { renderCount, renderTable } from '../../terminal/format.ts'
import type { Paint, Tone } from '../../terminal/paint.ts'
import { type CommandIo, renderJson } from '../command-io.ts'
import { type Finding, type FindingVerdict, findingsOf } from '../doctor/finding.ts'
import { examineProcesses } from '../doctor/process-findings.ts'
import { examineProviders } from '../doctor/provider-findings.ts'
import { examineRedis, withRedis } from '../doctor/redis-findings.ts'
import { examineStorage } from '../doctor/storage-findings.ts'
import { examineWebhooks } from '../doctor/webhook-findings.ts'
import { type OpenConfig, openConfig } from '../open-config.ts'

export interface DoctorOptions {
  readonly json: boolean
  /** Receivers to be tried. */
  readonly webhook: readonly string[]
}

/** Looks at all that a deployment stands on, each with a verdict and a remedy. Answers 1 where something is bad. */
export const doctor = async (
  sources: ConfigSources,
  { json, webhook }: DoctorOptions,
  { out, paint }: Pick<CommandIo, 'out' | 'paint'>,
): Promise<number> => {
  const findings = await examine(sources, webhook)
  out(json ? renderJson({ findings }) : describe(findings, paint))
  return findings.some(({ verdict }) => verdict === 'bad') ? 1 : 0
}

const examine = async (sources: ConfigSources, receivers: readonly string[]): Promise<readonly Finding[]> => {
  const { ok, bad } = findingsOf('config')
  let opened: OpenConfig
  try {
    opened = openConfig(sources)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const file = error.file ?? 'defaults'
    return error.faults.map(fault => bad(file, renderFault(fault), 'Mend it: npx baton validate-config.'))
  }
  const { config, file } = opened
  // Side by side, as each may wait for something that is away.
  const found = await Promise.all([
    examineStore(config, sources.cwd),
    examineStorage(config),
    examineProviders(opened),
    examineWebhooks(config, receivers),
  ])
  return [ok(file.path ?? 'no file: the defaults', 'valid'), ...found.flat()]
}

const examineStore = async (config: Config, cwd: string): Promise<readonly Finding[]> => {
  const place: RedisPlace | null = redisPlaceOf(config.redis) ?? (await findPrivateRedis(cwd))
  if (place === null) {
    const { skipped } = findingsOf('redis')
    return [
      skipped(
        'private',
        'none runs: `baton serve` brings its own',
        'Start Baton, or set REDIS_URL, and ask again.',
      ),
    ]
  }
  return withRedis(place, async redis => [
    ...(await examineRedis(redis, place, config)),
    ...(await examineProcesses(redis, config, await readTime(redis, config.redis.prefix))),
  ])
}

const signs: Readonly<Record<FindingVerdict, string>> = { ok: 'ok', warn: 'WARN', bad: 'BAD', skipped: '-' }

const tones: Readonly<Record<FindingVerdict, Tone>> = {
  ...{ ok: 'good', warn: 'warn', bad: 'bad', skipped: 'quiet' },
}

const describe = (findings: readonly Finding[], paint: Paint): string => {
  const rows = findings.map(({ area, subject, verdict, found }) => [
    paint(tones[verdict], signs[verdict]),
    area,
    subject,
    found,
  ])
  const lines = renderTable(rows).split('\n')
  const count = (verdict: FindingVerdict): number => findings.filter(f => f.verdict === verdict).length
  return [
    ...findings.flatMap(({ remedy }, i) =>
      remedy === null ? [lines[i]!] : [lines[i]!, `      -> ${remedy}`],
    ),
    `${renderCount(findings.length, 'check')}: ${count('bad')} bad, ${count('warn')} to look at`,
  ].join('\n')
}
