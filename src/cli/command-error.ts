/** A command cannot do what it was asked. Shown as its message alone, without a stack. */
export class CommandError extends Error {}
