/** A class as esbuild prints it whose body names it: `var Redis = class _Redis extends Commander {`. */
const renamed = /(\w+) = class _(\w+)( extends [\w.$]+)? \{/g

/**
 * Gives classes back the names that esbuild took from them: inside of its body, a class goes by its name with `_` before it,
 * and so would it in a log. esbuild's own `keepNames` sets the name of each function instead, at each making of a closure,
 * which was 10 MB of a start.
 *
 * @throws when a class is written in a way that this does not know.
 */
export const keepClassNames = (code: string): string => {
  const kept = code.replaceAll(
    renamed,
    (line, _variable, name) =>
      `${line} static { Object.defineProperty(this, "name", { value: "${name}", configurable: true }); }`,
  )
  const missed = / = class _\w+(?![\w]|( extends [\w.$]+)? \{ static)[^\n]*/.exec(kept)
  if (missed !== null) throw new Error(`The name of this class is lost:${missed[0]}`)
  return kept
}
