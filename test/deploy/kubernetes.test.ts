import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { manifestsFor, providersOf } from '../../deploy/kubernetes/generate.ts'
import manifest from '../../package.json' with { type: 'json' }
import { adminRights } from '../../src/api/operator/admin-app.ts'
import { scaling } from '../../src/api/operator/response-schemas.ts'
import { readConfigFile } from '../../src/config/file.ts'
import { inspectConfig } from '../../src/config/load.ts'
import { readDoc } from '../docs/markdown.ts'
import { build, faultsOf, folder, type Manifest } from './manifests.ts'

const read = (path: string): string => readFileSync(join(folder, path), 'utf8')

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

const overlays = ['single-node', 'full', 'cloud-identity'] as const

const built = new Map(await Promise.all(overlays.map(async name => [name, await build(name)] as const)))

const podsOf = (manifests: readonly Manifest[]) =>
  manifests.filter(({ spec }) => spec?.template !== undefined)
const ofBaton = (manifests: readonly Manifest[]) => manifests.filter(({ kind }) => kind === 'Deployment')

type Container = NonNullable<NonNullable<Manifest['spec']>['template']>['spec']['containers'][number]

const portOf = ({ ports }: Container, name: string): string =>
  String(ports.find(port => port.name === name)?.containerPort)
const variableOf = ({ env }: Container, name: string): string | undefined =>
  env.find(variable => variable.name === name)?.value

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
      // What comes before the signal counts, too.
      const beforeStop = container!.lifecycle?.preStop.sleep.seconds ?? 0
      expect(terminationGracePeriodSeconds, metadata.name).toBeGreaterThan(beforeStop + 5 * 60 + 5)
      expect(container!.readinessProbe!.httpGet!.path).toBe('/readyz')
      expect(container!.livenessProbe!.httpGet!.path).toBe('/livez')
      expect(container!.startupProbe).toBeDefined()
      for (const probe of [container!.readinessProbe, container!.livenessProbe, container!.startupProbe]) {
        const { path, port } = probe!.httpGet!
        expect(adminRights).toHaveProperty([`GET ${path}`], 'open')
        expect(portOf(container!, port), metadata.name).toBe(variableOf(container!, 'ADMIN_PORT'))
      }
      if (metadata.name === 'api') expect(portOf(container!, 'http')).toBe(variableOf(container!, 'PORT'))
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

  test('cloud-identity: every pod of Baton is known to the clouds, and may ask where they hand out tokens', () => {
    const manifests = built.get('cloud-identity')!
    const account = manifests.find(({ kind }) => kind === 'ServiceAccount')! as unknown as {
      readonly metadata: { readonly name: string; readonly annotations: object }
    }
    expect(Object.keys(account.metadata.annotations).toSorted()).toEqual([
      'azure.workload.identity/client-id',
      'eks.amazonaws.com/role-arn',
      'iam.gke.io/gcp-service-account',
    ])
    const pods = ofBaton(manifests)
    expect(pods).toHaveLength(ofBaton(built.get('full')!).length)
    for (const { metadata, spec } of pods) {
      const { metadata: of, spec: pod } = spec!.template!
      expect(pod.serviceAccountName, metadata.name).toBe(account.metadata.name)
      expect(of.labels['azure.workload.identity/use'], metadata.name).toBe('true')
    }
    const policy = JSON.stringify(manifests.find(({ metadata }) => metadata.name === 'metadata-servers'))
    expect(policy).toContain('169.254.169.254/32')
    expect(policy).toContain('169.254.170.23/32')
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
    // The replicas of all others are the autoscalers': a number in a manifest would be set again with each apply.
    const guardedByNumber = ['worker-batches', 'worker-webhooks']
    for (const { metadata, spec } of ofBaton(manifests)) {
      const { replicas = null } = spec as { replicas?: number }
      expect(replicas, metadata.name).toBe(guardedByNumber.includes(metadata.name) ? 2 : null)
    }
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

  test.each(overlays)('%s: the image is of this version', overlay => {
    for (const { spec } of ofBaton(built.get(overlay)!))
      expect(spec!.template!.spec.containers[0]!.image).toMatch(new RegExp(`:${manifest.version}$`))
  })

  test.each(overlays)('%s: with all that docs/kubernetes.md adds, the schemas accept them', async overlay => {
    const copy = mkdtempSync(join(tmpdir(), 'baton-manifests-'))
    onTestFinished(() => rmSync(copy, { recursive: true }))
    cpSync(folder, copy, { recursive: true })
    const file = join(copy, 'overlays', overlay, 'kustomization.yaml')
    const kustomization = parse(readFileSync(file, 'utf8'))
    const told = [...readDoc('docs/kubernetes.md').matchAll(/```yaml\n(patches:[\s\S]*?)```/g)]
    const patches = told.flatMap(([, block]) => parse(block!).patches)
    expect(patches.length).toBeGreaterThan(1)
    writeFileSync(
      file,
      stringify(
        { ...kustomization, patches: [...(kustomization.patches ?? []), ...patches] },
        { lineWidth: 0 },
      ),
    )
    const changed = await build(overlay, copy)
    expect(await faultsOf(changed)).toEqual([])
    for (const { spec, metadata } of ofBaton(changed)) {
      const [container] = spec!.template!.spec.containers
      // A file that is mounted by `subPath` is never renewed.
      expect(
        container!.volumeMounts.filter(({ subPath }) => subPath),
        metadata.name,
      ).toEqual([])
      const paths = container!.volumeMounts.map(({ mountPath }) => mountPath)
      expect(paths).toEqual(expect.arrayContaining(['/etc/baton', '/run/secrets/baton', '/tmp']))
      expect(paths.includes('/data/blobs')).toBe(
        overlay === 'single-node' && /api|batches/.test(metadata.name),
      )
      expect(variableOf(container!, 'BATON_CONFIG')).toBe('/etc/baton/baton.yaml')
    }
  })

  test('full: every worker of a provider is scaled by what Baton reckons for it', () => {
    const objects = built.get('full')!.filter(({ kind }) => kind === 'ScaledObject')
    const urls = objects.map(object => JSON.stringify(object.spec).match(/"url":"([^"]+)"/)![1])
    expect(urls.toSorted()).toEqual(
      providersOf(read('base/baton.yaml'))
        .map(name => `http://api.baton.svc/v1/scaling/${name}`)
        .toSorted(),
    )
    for (const object of objects)
      expect(Object.keys(scaling.shape)).toContain(
        JSON.stringify(object.spec).match(/"valueLocation":"([^"]+)"/)![1],
      )
  })
})
