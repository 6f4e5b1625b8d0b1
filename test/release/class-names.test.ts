import { build } from 'esbuild'
import { expect, it } from 'vitest'
import { keepClassNames } from '../../release/class-names.ts'

const bundled = async (contents: string): Promise<string> => {
  const { outputFiles } = await build({
    stdin: { contents, loader: 'ts' },
    ...{ bundle: true, format: 'esm', target: 'node22', write: false },
  })
  return outputFiles[0]!.text
}

const namesIn = async (code: string): Promise<readonly string[]> =>
  (await import(`data:text/javascript,${encodeURIComponent(code)}`)).names

it('gives classes that name themselves their names back', async () => {
  const code = await bundled(`
    class Base { static made = 0; static make() { return new Base() } }
    class Late extends Base { static first = new Late(); name = 'of an instance' }
    export const names = [Base.name, Late.name, Late.first.name, new Late().constructor.name]`)
  // Else nothing here would be lost.
  expect(code).toContain('class _Late extends Base {')
  expect(await namesIn(keepClassNames(code))).toEqual(['Base', 'Late', 'of an instance', 'Late'])
})

it('refuses a class whose name it would lose', async () => {
  const code = await bundled(`
    const mixed = () => class {}
    class Odd extends mixed() { static first = new Odd() }
    export const names = [Odd.name]`)
  expect(() => keepClassNames(code)).toThrow('The name of this class is lost: = class _Odd')
})
