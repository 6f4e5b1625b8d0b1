/** Levenshtein: the number of single-letter edits from one word to the other. */
const editDistance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[to.length]!
}

/** The candidate most like `word`, or undefined when none is near enough to have been meant. */
export const didYouMean = (word: string, candidates: Iterable<string>): string | undefined => {
  // Two swapped letters are two edits. Beyond a third of the letters, words suggest each other at random.
  let closest = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3))
  let found: string | undefined
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < closest || (distance === closest && found === undefined)) {
      closest = distance
      found = candidate
    }
  }
  return found
}
