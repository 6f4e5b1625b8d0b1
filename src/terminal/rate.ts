/** Takes how many are done by now, and answers how many a second that was over the last while. */
export type Rate = (done: number, atMs: number) => number

/** Short enough to follow a change, long enough that counts which come in lumps do not make it jump. */
const windowMs = 5_000

export const createRate = (): Rate => {
  const looks: { readonly done: number; readonly atMs: number }[] = []
  return (done, atMs) => {
    looks.push({ done, atMs })
    while (looks.length > 2 && looks[1]!.atMs <= atMs - windowMs) looks.shift()
    const first = looks[0]!
    return atMs === first.atMs ? 0 : ((done - first.done) * 1_000) / (atMs - first.atMs)
  }
}
