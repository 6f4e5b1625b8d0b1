import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

const root = join(import.meta.dirname, '../..')
const folders = ['src', 'workers', 'demo', 'harness', 'bench', 'chaos', 'soak', 'examples', 'release', 'test']

/** Every TypeScript file of the project by its path from the root, with its text. */
export const code: ReadonlyMap<string, string> = new Map(
  folders
    .flatMap(folder => globSync(`${folder}/**/*.ts`, { cwd: root }))
    .map(file => [file, readFileSync(join(root, file), 'utf8')]),
)

export const files: readonly string[] = [...code.keys()]

/** The product: what is shipped, without what tries it. */
export const product: readonly string[] = files.filter(file => /^(?:src|workers)\//.test(file))

/** Specifiers that a file imports, of packages as well, types included. */
export const specifiersOf = (file: string): readonly string[] =>
  [...code.get(file)!.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name]) => name!)

/** Paths from the root of the files that a file imports, types included. */
export const importsOf = (file: string): readonly string[] =>
  specifiersOf(file)
    .filter(name => name.startsWith('.'))
    .map(name => normalize(join(dirname(file), name)))

/** Circles of a graph, each as the set of its members: Tarjan's strongly connected components of two or more. */
export const circlesOf = (nodes: readonly string[], edgesOf: (node: string) => readonly string[]) => {
  const order = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const circles: string[][] = []
  const visit = (node: string): void => {
    order.set(node, order.size)
    low.set(node, order.get(node)!)
    stack.push(node)
    for (const next of edgesOf(node)) {
      if (!order.has(next)) visit(next)
      if (stack.includes(next)) low.set(node, Math.min(low.get(node)!, low.get(next)!))
    }
    if (low.get(node) !== order.get(node)) return
    const members = stack.splice(stack.indexOf(node))
    if (members.length > 1) circles.push(members.toSorted())
  }
  for (const node of nodes) if (!order.has(node)) visit(node)
  return circles
}
