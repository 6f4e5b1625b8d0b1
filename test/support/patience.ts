/**
 * How long a test waits for what must come, in milliseconds: a bound for what hangs. A busy machine may be late for
 * anything by many seconds, and a test that is refused for that says nothing of the product.
 */
export const patience = { timeout: 30_000, interval: 10 }
