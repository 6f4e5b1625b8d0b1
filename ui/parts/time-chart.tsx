import { useEffect, useRef, useState } from 'preact/hooks'
import type uPlot from 'uplot'
import { clock, zone } from '../format.ts'
import { Panel } from './panel.tsx'

export interface ChartLine {
  readonly name: string
  readonly tone: 'ok' | 'run' | 'warn' | 'bad' | 'hold'
  readonly values: readonly (number | null)[]
  /** Lines are told apart by more than their colours. */
  readonly dash?: readonly number[]
}

interface ChartProps {
  readonly title: string
  /** Unix seconds of each value. */
  readonly at: readonly number[]
  readonly lines: readonly ChartLine[]
  readonly say: (value: number | null | undefined) => string
}

const height = 160
/** A row is a minute: no two ticks say the same. */
const ticksSeconds = [60, 300, 900, 1_800, 3_600, 7_200, 14_400, 21_600]

/** Lines over time. A sentence and a table say the same to those who see no picture. */
export const TimeChart = ({ title, at, lines, say }: ChartProps) => {
  const [place, setPlace] = useState<number | null>(null)
  const shown = place === null || place >= at.length ? at.length - 1 : place
  return (
    <Panel title={title} wide>
      {at.length < 2 ? (
        <p class="muted">Nothing is written down yet: there will be a row a minute.</p>
      ) : (
        <>
          <p class="legend">
            {lines.map(({ name, tone, values, dash }) => (
              <span key={name} class={`key ${tone}`}>
                <svg class="sample" aria-hidden="true">
                  <line x1="0" x2="100%" y1="50%" y2="50%" stroke-dasharray={dash?.join(' ')} />
                </svg>
                {name} {say(values[shown])}
              </span>
            ))}
            <span class="muted">
              at {clock(at[shown]!)} {zone()}
            </span>
          </p>
          <Plot title={title} at={at} lines={lines} say={say} onPlace={setPlace} />
          <AsTable title={title} at={at} lines={lines} say={say} />
        </>
      )}
    </Panel>
  )
}

const Plot = ({
  title,
  at,
  lines,
  say,
  onPlace,
}: ChartProps & { readonly onPlace: (place: number | null) => void }) => {
  const holder = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | null>(null)
  const [scheme, setScheme] = useState(0)
  const [isMissing, setMissing] = useState(false)
  const data = [at, ...lines.map(({ values }) => values)] as uPlot.AlignedData
  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)')
    const change = (): void => setScheme(n => n + 1)
    dark.addEventListener('change', change)
    return () => dark.removeEventListener('change', change)
  }, [])
  useEffect(() => {
    let isOver = false
    const around = holder.current!
    const resize = new ResizeObserver(() => chart.current?.setSize({ width: around.clientWidth, height }))
    import('uplot').then(
      ({ default: Plot }) => {
        if (isOver) return
        chart.current = new Plot(optionsOf(around, lines, say, onPlace), data, around)
        resize.observe(around)
      },
      // Cut off from the server; the table has the figures.
      () => setMissing(true),
    )
    return () => {
      isOver = true
      resize.disconnect()
      chart.current?.destroy()
      chart.current = null
    }
  }, [scheme, lines.map(({ name }) => name).join()])
  useEffect(() => chart.current?.setData(data), [at])
  const newest = lines.map(({ name, values }) => `${name} ${say(values.at(-1))}`).join(', ')
  const move = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0
    if (step === 0 || chart.current === null) return
    event.preventDefault()
    const { idx } = chart.current.cursor
    const next = Math.min(at.length - 1, Math.max(0, (idx ?? at.length) + step))
    chart.current.setCursor({ left: chart.current.valToPos(at[next]!, 'x'), top: 0 })
  }
  if (isMissing) return <p class="muted">The chart could not be loaded; reload the page to see it.</p>
  return (
    <div
      ref={holder}
      class="plot"
      role="img"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move what is read out
      tabIndex={0}
      aria-label={`${title}, from ${clock(at[0]!)} to ${clock(at.at(-1)!)}; now ${newest}`}
      onKeyDown={move}
    />
  )
}

/** A canvas knows no names of colours: they are those that the legend has by now. */
const optionsOf = (
  around: HTMLElement,
  lines: readonly ChartLine[],
  say: ChartProps['say'],
  onPlace: (place: number | null) => void,
): uPlot.Options => {
  const colours = [...around.parentElement!.querySelectorAll('.key')].map(key => getComputedStyle(key).color)
  const muted = getComputedStyle(around).color
  const axis = { stroke: muted, grid: { stroke: muted, width: 0.15 }, ticks: { show: false } }
  return {
    width: around.clientWidth,
    height,
    legend: { show: false },
    tzDate: at => new Date(new Date(at * 1_000).toLocaleString('en-US', { timeZone: zone() })),
    axes: [
      { ...axis, incrs: ticksSeconds, values: (_, ticks) => ticks.map(tick => clock(tick).slice(0, 5)) },
      { ...axis, size: 64, values: (_, ticks) => ticks.map(say) },
    ],
    scales: { y: { range: (_, __, most) => [0, Math.max(most ?? 0, 0.1) * 1.1] } },
    cursor: { drag: { x: false, y: false }, y: false },
    series: [
      {},
      ...lines.map(({ name, dash }, i) => ({
        label: name,
        stroke: colours[i]!,
        width: 1.8,
        points: { show: false },
        ...(dash && { dash: [...dash] }),
      })),
    ],
    hooks: { setCursor: [({ cursor: { idx } }) => onPlace(idx ?? null)] },
  }
}

const AsTable = ({ at, lines, say }: ChartProps) => {
  const [isOpen, setOpen] = useState(false)
  // Every minute of a day were too many rows.
  const every = Math.ceil(at.length / 60)
  return (
    <details onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>As a table</summary>
      {isOpen && (
        <table>
          <thead>
            <tr>
              <th scope="col">At</th>
              {lines.map(({ name }) => (
                <th key={name} scope="col" class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {at.map((time, i) =>
              i % every === 0 ? (
                <tr key={time}>
                  <th scope="row">{clock(time)}</th>
                  {lines.map(({ name, values }) => (
                    <td key={name} class="number">
                      {say(values[i])}
                    </td>
                  ))}
                </tr>
              ) : null,
            )}
          </tbody>
        </table>
      )}
    </details>
  )
}
