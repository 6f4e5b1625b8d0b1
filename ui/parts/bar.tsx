/** How much one of several is beside the largest; the figure stands next to it. */
export const Bar = ({ share }: { readonly share: number }) => (
  <svg class="bar" aria-hidden="true">
    <rect width={`${(share * 100).toFixed(1)}%`} height="100%" rx={2} />
  </svg>
)
