import type { ComponentChildren } from 'preact'

export const Panel = (props: {
  readonly title: string
  readonly children: ComponentChildren
  readonly wide?: boolean
}) => (
  <section class={props.wide ? 'panel wide' : 'panel'} aria-label={props.title}>
    <h2>{props.title}</h2>
    {props.children}
  </section>
)

/** Figures with their names, such as "Waiting 45,210". */
export const Figures = ({ of }: { readonly of: readonly (readonly [string, ComponentChildren])[] }) => (
  <dl class="figures">
    {of.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
)

export const Loading = () => (
  <p class="loading" role="status">
    Loading…
  </p>
)
