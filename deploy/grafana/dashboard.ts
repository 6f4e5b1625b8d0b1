// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is Grafana's own syntax for variables
import type { PanelPlan, RowPlan } from './board.ts'

const source = { type: 'prometheus', uid: '${datasource}' } as const
/** Of 24 columns. */
const statWidth = 6
const chartWidth = 12
const statHeight = 4
const chartHeight = 8

interface Place {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

/** The model that Grafana imports, of the version that it writes since 10. */
export const dashboardOf = (rows: readonly RowPlan[]) => {
  const panels: object[] = []
  let y = 0
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: 24, h: 1 },
      panels: [],
    })
    y += 1
    const { places, height } = placesOf(row.panels)
    for (const [i, plan] of row.panels.entries()) {
      const { x, y: down, w, h } = places[i]!
      panels.push(panelOf(panels.length + 1, plan, { x, y: y + down, w, h }))
    }
    y += height
  }
  return {
    uid: 'baton',
    title: 'Baton',
    tags: ['baton'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'browser',
    graphTooltip: 1,
    annotations: { list: [] },
    links: [],
    templating: { list: [datasourceVariable, providerVariable] },
    panels,
  }
}

/** From left to right, and below where a line is full. */
const placesOf = (
  plans: readonly PanelPlan[],
): { readonly places: readonly Place[]; readonly height: number } => {
  const places: Place[] = []
  let [x, y, lineHeight] = [0, 0, 0]
  for (const { isStat } of plans) {
    const [w, h] = isStat ? [statWidth, statHeight] : [chartWidth, chartHeight]
    if (x + w > 24) {
      y += lineHeight
      ;[x, lineHeight] = [0, 0]
    }
    places.push({ x, y, w, h })
    x += w
    lineHeight = Math.max(lineHeight, h)
  }
  return { places, height: y + lineHeight }
}

const panelOf = (
  id: number,
  { title, help, unit, queries, isStat, isStacked }: PanelPlan,
  gridPos: Place,
) => ({
  ...{ id, type: isStat ? 'stat' : 'timeseries', title, description: help, datasource: source, gridPos },
  fieldConfig: {
    defaults: {
      unit,
      ...(isStat
        ? {}
        : {
            ...(unit === 's' ? {} : { min: 0 }),
            custom: {
              lineWidth: 1,
              fillOpacity: isStacked ? 20 : 0,
              stacking: { mode: isStacked ? 'normal' : 'none', group: 'A' },
            },
          }),
    },
    overrides: [],
  },
  options: isStat
    ? {
        colorMode: 'value',
        graphMode: 'area',
        textMode: 'value_and_name',
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      }
    : {
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
        tooltip: { mode: 'multi', sort: 'desc' },
      },
  targets: queries.map(([expr, legendFormat], i) => ({
    ...{
      refId: String.fromCharCode(65 + i),
      datasource: source,
      expr,
      legendFormat,
      editorMode: 'code',
      range: true,
    },
  })),
})

const datasourceVariable = {
  ...{ name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus', refresh: 1 },
  ...{ includeAll: false, multi: false, hide: 0 },
}

const providerVariable = {
  ...{ name: 'provider', label: 'Provider', type: 'query', datasource: source, refresh: 2, sort: 1 },
  ...{ definition: 'label_values(baton_provider_state, provider)', hide: 0 },
  query: { query: 'label_values(baton_provider_state, provider)', refId: 'providers' },
  ...{ includeAll: true, allValue: '.*', multi: true, current: { text: ['All'], value: ['$__all'] } },
}
