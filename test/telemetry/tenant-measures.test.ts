import { expect, test } from 'vitest'
import { toldTenants } from '../../src/config/told-tenants.ts'
import { createMeasures } from '../../src/telemetry/measures.ts'
import { createTelemetry } from '../../src/telemetry/telemetry.ts'
import { noTenants } from '../../src/telemetry/tenant-measures.ts'

const api_keys = ['a', 'b', 'a', 'c'].map(tenant => ({
  key: `key-of-${tenant}`,
  tenant,
  role: 'submit' as const,
}))

const jobsOf = (tenant_label: boolean, max_tenants: number) => {
  const telemetry = createTelemetry()
  const told = toldTenants({ api_keys, metrics: { tenant_label, max_tenants } })
  const measures = createMeasures()
  measures.follow(telemetry, undefined, told)
  for (const tenant of ['a', 'c', 'b', 'gone', 'c'])
    telemetry.emit({
      ...{ kind: 'job.finished', tenant, provider: 'p', route: 'r', status: 'succeeded', tookMs: 1 },
    })
  return measures.read().tenants
}

test('no tenant is told of unless the config asks for it', () => {
  expect(jobsOf(false, 50)).toEqual(noTenants)
})

test('tenants are told apart as far as the config lets them, and all others are one', () => {
  const counts = jobsOf(true, 2).jobs.map(({ labels, value }) => [labels.tenant, value])
  expect(Object.fromEntries(counts)).toEqual({ a: 1, b: 1, other: 3 })
})
