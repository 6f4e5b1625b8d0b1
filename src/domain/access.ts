/** What a key is for. */
export const roles = ['submit', 'operator'] as const
export type Role = (typeof roles)[number]

/**
 * What a request does: it reads what is the tenant's own, or changes it and causes calls, or looks at and acts on what all
 * tenants share.
 */
export type Right = 'read' | 'submit' | 'operate'

const granted: Readonly<Record<Role, ReadonlySet<Right>>> = {
  submit: new Set(['read', 'submit']),
  operator: new Set(['read', 'submit', 'operate']),
}

export const mayDo = (role: Role, right: Right): boolean => granted[role].has(right)

/** The role with the fewest rights that has this one. */
export const roleFor = (right: Right): Role => roles.find(role => mayDo(role, right))!
