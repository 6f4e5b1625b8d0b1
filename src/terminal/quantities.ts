/** `42 s`, `3 min 10 s`, `2 h 5 min`, `1 d 4 h`. */
export const renderDuration = (ms: number): string => {
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

const sizes = [
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
] as const

/** `512 bytes`, `1.2 kB`, `200.0 MB`. */
export const renderBytes = (bytes: number): string => {
  const [unit, size] = sizes.find(([, size]) => bytes >= size) ?? ['bytes', 1]
  return `${size === 1 ? bytes : (bytes / size).toFixed(1)} ${unit}`
}

/** `1 line`, `2 lines`. */
export const renderCount = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`
