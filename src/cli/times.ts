/** Unix seconds as `2025-12-06 05:46:43 UTC`. */
export const renderTime = (seconds: number): string =>
  new Date(seconds * 1_000)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC')

/** The time of day alone, with milliseconds where there are any: `05:46:43`, `05:46:43.020`. */
export const renderClock = (seconds: number): string =>
  new Date(Math.round(seconds * 1_000))
    .toISOString()
    .slice(11, 23)
    .replace(/\.000$/, '')
