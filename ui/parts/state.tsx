interface Look {
  readonly word: string
  readonly tone: 'ok' | 'run' | 'warn' | 'bad' | 'hold' | 'idle'
  /** An icon of 16 px, drawn with strokes. */
  readonly icon: string
}

const check = 'M3 8.5 6.5 12 13 4.5'
const cross = 'M4 4l8 8M12 4l-8 8'
const clockFace = 'M8 2a6 6 0 1 0 0 12A6 6 0 1 0 8 2M8 5v3l2 2'
const ring = 'M8 3a5 5 0 1 0 0 10A5 5 0 1 0 8 3'
const bars = 'M5.5 3.5v9M10.5 3.5v9'
const square = 'M4 4h8v8H4z'
const play = 'M5 3.5 12 8l-7 4.5z'
const slashed = `${ring}M4.5 11.5l7-7`
const part = `${ring}M8 3v5h5`

/** Every state has a shape, a word and a colour, in that order. States that are not here are shown as they are. */
const looks: Readonly<Record<string, Look>> = {
  healthy: { word: 'healthy', tone: 'ok', icon: check },
  throttled: { word: 'cooling', tone: 'warn', icon: clockFace },
  cooling: { word: 'cooling', tone: 'warn', icon: clockFace },
  recovering: { word: 'returning', tone: 'run', icon: part },
  probing: { word: 'probing', tone: 'run', icon: `${ring}M8 7v2` },
  down: { word: 'away', tone: 'bad', icon: cross },
  stopped: { word: 'stopped', tone: 'bad', icon: square },
  paused: { word: 'paused', tone: 'hold', icon: bars },
  queued: { word: 'queued', tone: 'idle', icon: ring },
  running: { word: 'running', tone: 'run', icon: play },
  parked: { word: 'parked', tone: 'warn', icon: clockFace },
  succeeded: { word: 'succeeded', tone: 'ok', icon: check },
  failed: { word: 'failed', tone: 'bad', icon: cross },
  cancelled: { word: 'cancelled', tone: 'idle', icon: slashed },
  delivered: { word: 'delivered', tone: 'ok', icon: check },
  dead: { word: 'given up', tone: 'bad', icon: cross },
  blocked: { word: 'blocked', tone: 'bad', icon: square },
  validating: { word: 'being read', tone: 'idle', icon: ring },
  in_progress: { word: 'running', tone: 'run', icon: play },
  finalizing: { word: 'finishing', tone: 'run', icon: part },
  cancelling: { word: 'being cancelled', tone: 'idle', icon: slashed },
  completed: { word: 'completed', tone: 'ok', icon: check },
  expired: { word: 'expired', tone: 'warn', icon: 'M4 3h8L4 13h8z' },
}

export const lookOf = (state: string): Look =>
  looks[state] ?? { word: state.replaceAll('_', ' '), tone: 'idle', icon: ring }

export const Icon = ({ path }: { readonly path: string }) => (
  <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
    <path d={path} />
  </svg>
)

export const State = ({ state }: { readonly state: string }) => {
  const { word, tone, icon } = lookOf(state)
  return (
    <span class={`state ${tone}`}>
      <Icon path={icon} />
      {word}
    </span>
  )
}
