import type { ComponentChildren } from 'preact'

/** A line of a `<dl class="facts">`: what it is, and its value at the other side. */
export const Fact = ({ name, children }: { readonly name: string; readonly children: ComponentChildren }) => (
  <div>
    <dt>
      <bdi>{name}</bdi>
    </dt>
    <dd>
      <bdi>{children}</bdi>
    </dd>
  </div>
)
