import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { manifestsFor, providersOf } from '../../deploy/kubernetes/generate.ts'
import { readConfigFile } from '../../src/config/file.ts'
import { inspectConfig } from '../../src/config/load.ts'
import { kubectl } from './kubectl.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const folder = join(root, 'deploy/kubernetes')
const read = (path: string): string => readFileSync(join(folder, path), 'utf8')

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  // As much of a pod as the rules look at.
  readonly spec?: {
    readonly template?: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> }
      readonly spec: {
        readonly terminationGracePeriodSeconds: number
        readonly automountServiceAccountToken: boolean
        readonly securityContext: { readonly runAsNonRoot: boolean }
        readonly containers: readonly {
          readonly image: string
          readonly args: readonly string[]
          readonly securityContext: object
          readonly readinessProbe?: { readonly httpGet?: { readonly path: string } }
          readonly livenessProbe?: { readonly httpGet?: { readonly path: string } }
          readonly startupProbe?: object
          readonly resources: { readonly requests: object; readonly limits: { readonly memory: string } }
        }[]
      }
    }
  }
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>
}
/** As much of a disruption budget or a network policy as the rules look at. */
interface Selecting {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly maxUnavailable?: number
    readonly selector?: Selector
    readonly podSelector?: Selector
    readonly ingress?: readonly { readonly ports: readonly { readonly port: number }[] }[]
  }
}

const selects = ({ matchLabels = {} }: Selector = {}, { spec }: Manifest): boolean =>
  Object.entries(matchLabels).every(([name, value]) => spec!.template!.metadata.labels[name] === value)

const overlays = ['single-node', 'full'] as const

const build = async (overlay: string): Promise<readonly Manifest[]> => {
  const { stdout } = await run(await kubectl(), ['kustomize', join(folder, 'overlays', overlay)])
  return parseAllDocuments(stdout).map(document => document.toJS() as Manifest)
}

const built = new Map(await Promise.all(overlays.map(async name => [name, await build(name)] as const)))

/** Where the types of a kind are. Its name in the package's types is `I` and the kind. */
const typesOf = ({ apiVersion, kind }: Manifest): string => {
  if (apiVersion.startsWith('keda.sh/')) return `@kubernetes-models/keda/${apiVersion}/${kind}`
  if (apiVersion.startsWith('monitoring.'))
    return `@kubernetes-models/prometheus-operator/${apiVersion}/${kind}`
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  return `kubernetes-models/${[group, version, kind].filter(Boolean).join('/')}`
}

/**
 * What the schemas of Kubernetes, KEDA and Prometheus' operator say to these manifests. Their validators pass fields that do
 * not exist, which is what a slip of the pen makes; the compiler, with the types of the same package, does not.
 */
const faultsOf = async (manifests: readonly Manifest[]): Promise<readonly string[]> => [
  ...(await faultsOfShape(manifests)),
  ...(await Promise.all(manifests.map(faultsOfValues))).flat(),
]

const faultsOfShape = async (manifests: readonly Manifest[]): Promise<readonly string[]> => {
  const dir = mkdtempSync(join(root, 'node_modules/.manifests-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'manifests.ts')
  const shapes = manifests.map(
    (manifest, i) =>
      `import type { I${manifest.kind} as Shape${i} } from '${typesOf(manifest)}'
export const manifest${i}: Shape${i} = ${JSON.stringify(manifest)}`,
  )
  writeFileSync(file, shapes.join('\n'))
  const flags = '--noEmit --strict --skipLibCheck --target esnext --module nodenext --ignoreConfig'.split(' ')
  return run(join(root, 'node_modules/.bin/tsc'), [...flags, file], { cwd: root }).then(
    () => [],
    ({ stdout }: { stdout: string }) => stdout.split('\n').filter(Boolean),
  )
}

const faultsOfValues = async (manifest: Manifest): Promise<readonly string[]> => {
  const { [manifest.kind]: Kind } = await import(typesOf(manifest))
  try {
    new Kind(manifest).validate()
    return []
  } catch (error) {
    return [`${manifest.kind} ${manifest.metadata.name}: ${error}`]
  }
}

const podsOf = (manifests: readonly Manifest[]) =>
  manifests.filter(({ spec }) => spec?.template !== undefined)
const ofBaton = (manifests: readonly Manifest[]) => manifests.filter(({ kind }) => kind === 'Deployment')

describe('manifests for Kubernetes', () => {
  test('are what the generator makes of the one list of providers', () => {
    for (const [path, text] of manifestsFor(providersOf(read('base/baton.yaml'))))
      expect(read(path), path).toBe(text)
  })

  test('both configs are valid, and name the same providers', () => {
    const variables = ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'BATON_API_KEY', 'BATON_OPERATOR_KEY']
    const env = {
      ...Object.fromEntries(variables.map(name => [name, `key-of-${name.toLowerCase()}`])),
      BATON_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
      ...{ BATON_BUCKET: 'files', BATON_BUCKET_REGION: 'eu-central-1' },
      ...{ HOST: '0.0.0.0', ADMIN_HOST: '0.0.0.0', ADMIN_PORT: '9464' },
    }
    for (const file of ['base/baton.yaml', 'overlays/full/baton.yaml']) {
      expect(
        inspectConfig(readConfigFile({ file: join(folder, file), cwd: folder, env })).faults,
        file,
      ).toEqual([])
    }
    expect(parse(read('overlays/full/baton.yaml')).providers).toEqual(
      parse(read('base/baton.yaml')).providers,
    )
  })

  test.each(overlays)('%s: the schemas accept them', async overlay => {
    expect(await faultsOf(built.get(overlay)!)).toEqual([])
  })

  test('the schemas reject a field that does not exist, and a value of the wrong kind', async () => {
    const [deployment] = ofBaton(built.get('full')!)
    const misspelt = JSON.parse(JSON.stringify(deployment).replace('"readinessProbe"', '"readynessProbe"'))
    expect((await faultsOf([misspelt])).join()).toMatch(/readynessProbe/)
    expect((await faultsOf([{ ...deployment!, spec: { replicas: 'two' } as never }])).join()).toMatch(
      /replicas/,
    )
  })

  test.each(overlays)('%s: a pod for each role, with probes, grace and a bound', overlay => {
    const deployments = ofBaton(built.get(overlay)!)
    const providers = providersOf(read('base/baton.yaml'))
    expect(deployments.map(({ metadata }) => metadata.name).toSorted()).toEqual(
      ['api', 'worker-webhooks', 'worker-batches', ...providers.map(name => `worker-${name}`)].toSorted(),
    )
    const grace = parse(read('base/baton.yaml')).server.shutdown_grace
    expect(grace).toBe('5m')
    for (const { metadata, spec } of deployments) {
      const { terminationGracePeriodSeconds, containers } = spec!.template!.spec
      const [container] = containers
      expect(terminationGracePeriodSeconds, metadata.name).toBeGreaterThan(5 * 60 + 5)
      expect(container!.readinessProbe!.httpGet!.path).toBe('/readyz')
      expect(container!.livenessProbe!.httpGet!.path).toBe('/livez')
      expect(container!.startupProbe).toBeDefined()
      expect(container!.resources.limits.memory).toBeDefined()
      expect(container!.args.join('-')).toBe(metadata.name)
    }
  })

  test.each(overlays)('%s: no pod has more rights than it needs', overlay => {
    for (const { metadata, spec } of podsOf(built.get(overlay)!)) {
      const pod = spec!.template!.spec
      expect(pod.automountServiceAccountToken, metadata.name).toBe(false)
      expect(pod.securityContext, metadata.name).toMatchObject({
        ...{ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      })
      for (const { securityContext } of pod.containers) {
        expect(securityContext, metadata.name).toEqual({
          ...{
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        })
      }
    }
  })

  test.each(overlays)('%s: all of it is in one namespace, and no secret is among it', overlay => {
    for (const { kind, metadata } of built.get(overlay)!) {
      if (kind !== 'Namespace') expect(metadata.namespace, metadata.name).toBe('baton')
      expect(kind).not.toBe('Secret')
    }
  })

  test('full: a drain of a node takes one pod of a role, and leaves another', () => {
    const manifests = built.get('full')!
    const budgets = manifests.filter(
      ({ kind }) => kind === 'PodDisruptionBudget',
    ) as readonly object[] as readonly Selecting[]
    const guarded = budgets.map(({ spec }) => {
      expect(spec.maxUnavailable).toBe(1)
      return podsOf(manifests).find(pod => selects(spec.selector, pod))!
    })
    expect(guarded.map(({ metadata }) => metadata.name).toSorted()).toEqual([
      ...['api', 'worker-batches', 'worker-webhooks'],
    ])
    // The replicas of the API are the autoscaler's.
    for (const pod of guarded.filter(({ metadata }) => metadata.name !== 'api'))
      expect((pod.spec as { replicas?: number }).replicas).toBeGreaterThan(1)
    const autoscaler = manifests.find(({ kind }) => kind === 'HorizontalPodAutoscaler')
    expect(autoscaler).toMatchObject({ spec: { scaleTargetRef: { name: 'api' }, minReplicas: 2 } })
  })

  test.each(overlays)(
    '%s: all traffic is denied but what a policy of pods that exist lets through',
    overlay => {
      const manifests = built.get(overlay)!
      const policies = manifests.filter(
        ({ kind }) => kind === 'NetworkPolicy',
      ) as readonly object[] as readonly Selecting[]
      const denied = policies.find(({ metadata }) => metadata.name === 'deny-all')!
      expect(denied.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] })
      for (const { metadata, spec } of policies)
        expect(
          podsOf(manifests).some(pod => selects(spec.podSelector, pod)),
          metadata.name,
        ).toBe(true)
      const ingress = (name: string) =>
        policies
          .filter(({ spec }) =>
            podsOf(manifests).some(pod => pod.metadata.name === name && selects(spec.podSelector, pod)),
          )
          .flatMap(({ spec }) => (spec.ingress ?? []).flatMap(({ ports }) => ports.map(({ port }) => port)))
      expect(ingress('api').toSorted()).toEqual([8000, 9464])
      expect(ingress('worker-webhooks')).toEqual([9464])
      if (overlay === 'single-node') expect(ingress('redis')).toEqual([6379])
    },
  )

  test('full: every worker of a provider is scaled by what Baton reckons for it', () => {
    const objects = built.get('full')!.filter(({ kind }) => kind === 'ScaledObject')
    const urls = objects.map(object => JSON.stringify(object.spec).match(/"url":"([^"]+)"/)![1])
    expect(urls.toSorted()).toEqual(
      providersOf(read('base/baton.yaml'))
        .map(name => `http://api.baton.svc/v1/scaling/${name}`)
        .toSorted(),
    )
  })
})
