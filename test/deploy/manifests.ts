import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { root } from '../docs/markdown.ts'
import { kubectl } from './kubectl.ts'

const run = promisify(execFile)
export const folder = join(root, 'deploy/kubernetes')

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string }
}

export interface Manifest {
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
        readonly serviceAccountName?: string
        readonly securityContext: { readonly runAsNonRoot: boolean }
        readonly containers: readonly {
          readonly image: string
          readonly args: readonly string[]
          readonly securityContext: object
          readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
          readonly env: readonly { readonly name: string; readonly value: string }[]
          readonly volumeMounts: readonly { readonly mountPath: string; readonly subPath?: string }[]
          readonly readinessProbe?: Probe
          readonly livenessProbe?: Probe
          readonly startupProbe?: Probe
          readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } }
          readonly resources: { readonly requests: object; readonly limits: { readonly memory: string } }
        }[]
      }
    }
  }
}

/** What Kustomize makes of an overlay. */
export const build = async (overlay: string, from = folder): Promise<readonly Manifest[]> => {
  const { stdout } = await run(await kubectl(), ['kustomize', join(from, 'overlays', overlay)])
  return parseAllDocuments(stdout).map(document => document.toJS() as Manifest)
}

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
export const faultsOf = async (manifests: readonly Manifest[]): Promise<readonly string[]> => [
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
