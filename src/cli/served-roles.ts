/** Words that ask how a command is used, wherever they stand. */
export const asksForHelp = (word: string): boolean => word === '--help' || word === '-h'

/**
 * The roles that a command line asks this process to run: `serve`, `serve api`, `worker NAME`, with their options.
 * Null where it is another command, or help for one.
 */
export const rolesToServe = (words: readonly string[]): readonly string[] | null => {
  if (words.some(asksForHelp)) return null
  if (words[0] === 'serve') return words.slice(1)
  return words[0] === 'worker' ? words : null
}
