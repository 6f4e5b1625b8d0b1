// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is compose's own syntax for variables
import { parse } from 'yaml'

/** As much of a service of a compose file as the rules look at. */
export interface Service {
  readonly image?: string
  readonly build?: unknown
  readonly command: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly container_name?: string
  readonly stop_grace_period: string
  readonly volumes?: readonly (string | { readonly source: string; readonly target: string })[]
  readonly depends_on?: Readonly<Record<string, { condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly read_only?: boolean
  readonly tmpfs?: readonly string[]
  readonly cap_drop?: readonly string[]
  readonly cap_add?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly privileged?: boolean
  readonly user?: string
  readonly network_mode?: string
  readonly pid?: string
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}

export const parseCompose = (text: string): Compose => parse(text, { merge: true }) as Compose

/** The tag for people, the digest for the machine: a tag alone is another image tomorrow. */
const isPinned = (image: string): boolean => /^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/.test(image)
const isOnLoopback = (port: string): boolean => /^127\.0\.0\.1:\d+:\d+$/.test(port)
/** `${NAME:?why}`: compose ends with the reason where it is not set, or empty. */
const isRequired = (text: string): boolean => /^\$\{\w+:\?[^}]+\}$/.test(text)

const rules: Readonly<Record<string, (service: Service) => boolean>> = {
  'the image has a tag and a digest, or is built here': ({ image = '', build }) =>
    build !== undefined || isPinned(image),
  'the root file system is read-only': ({ read_only }) => read_only === true,
  'no capability is left, and none added': ({ cap_drop = [], cap_add = [] }) =>
    cap_drop.includes('ALL') && cap_add.length === 0,
  'no process gains privileges': ({ security_opt = [] }) => security_opt.includes('no-new-privileges:true'),
  'nothing is privileged, or shares a namespace of the host': ({ privileged, network_mode, pid }) =>
    privileged !== true && network_mode !== 'host' && pid !== 'host',
  'nobody is root': ({ build, user = 'root' }) => build !== undefined || !/^(?:root|0)(?::|$)/.test(user),
  'ports are published on loopback alone': ({ ports = [] }) => ports.every(isOnLoopback),
  'no socket of the host is mounted': ({ volumes = [] }) => !JSON.stringify(volumes).includes('docker.sock'),
  'what is temporary has a size': ({ tmpfs = [] }) => tmpfs.every(mount => /:.*\bsize=/.test(mount)),
  'a Redis asks for a password that must be set': ({ command, image = '' }) =>
    !image.startsWith('redis:') || isRequired(command[command.indexOf('--requirepass') + 1] ?? ''),
  'no password is written down': ({ environment = {} }) =>
    Object.entries(environment).every(([name, value]) => {
      const password =
        /:\/\/[^/:]*:(\$\{[^}]*\}|[^@]*)@/.exec(value)?.[1] ??
        (/AUTH|PASS|SECRET|KEY/.test(name) ? value : null)
      return password === null || isRequired(password)
    }),
}

/** `redis: the root file system is read-only`, for each rule that a service breaks. */
export const faultsOfCompose = ({ services }: Compose): string[] =>
  Object.entries(services).flatMap(([name, service]) =>
    Object.entries(rules).flatMap(([rule, holds]) => (holds(service) ? [] : [`${name}: ${rule}`])),
  )

/** Instructions with their words, continued lines put together. */
export const parseDockerfile = (text: string): readonly (readonly [string, string])[] =>
  text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .flatMap(line => {
      const [, name, rest] = /^([A-Z]+) (.*)$/.exec(line) ?? []
      return name === undefined ? [] : [[name, rest!] as const]
    })

/** The stages of a Dockerfile in their order, each with the instructions after its FROM; null for one without a name. */
export const stagesOf = (text: string) => {
  const stages: { readonly name: string | null; readonly instructions: (readonly [string, string])[] }[] = []
  for (const [name, rest] of parseDockerfile(text)) {
    if (name === 'FROM') stages.push({ name: / AS (\S+)$/.exec(rest)?.[1] ?? null, instructions: [] })
    else stages.at(-1)!.instructions.push([name, rest])
  }
  return stages
}

/** `COPY [--from=STAGE] SOURCE… TARGET`; `from` is null for what comes from the folder that is built. */
export const parseCopy = (rest: string) => {
  const words = rest.split(' ')
  const from = /^--from=(.+)$/.exec(words[0]!)?.[1] ?? null
  const paths = words.slice(from === null ? 0 : 1)
  return { from, sources: paths.slice(0, -1), target: paths.at(-1)! }
}

export const faultsOfDockerfile = (text: string): string[] => {
  const instructions = parseDockerfile(text)
  const of = (name: string) => instructions.filter(([other]) => other === name).map(([, rest]) => rest)
  const broken: readonly (readonly [string, boolean])[] = [
    ['every base image has a tag and a digest', of('FROM').every(from => isPinned(from.split(' ')[0]!))],
    ['the last user is not root', !/^(?:root|0)?$/.test(of('USER').at(-1) ?? '')],
    ['the entry point is in exec form', of('ENTRYPOINT').length === 1 && /^\[/.test(of('ENTRYPOINT')[0]!)],
    ['nothing is fetched by ADD', of('ADD').length === 0],
    ['nothing is piped into a shell', !of('RUN').some(run => /\b(?:curl|wget)\b.*\|/.test(run))],
    [
      'no secret is an argument or in the environment',
      ![...of('ARG'), ...of('ENV')].some(name => /KEY|SECRET|PASSWORD|TOKEN/i.test(name)),
    ],
    [
      'packages are those of the lockfile',
      of('RUN').some(run => /\bnpm ci\b/.test(run)) &&
        !of('RUN').some(run => /\bnpm (?:i|install)\b/.test(run)),
    ],
    ['health is checked', of('HEALTHCHECK').length === 1],
  ]
  return broken.flatMap(([rule, holds]) => (holds ? [] : [rule]))
}
