/** What a key is for. */
export const roles = ['submit', 'operator'] as const
export type Role = (typeof roles)[number]

/**
 * What a request needs: `read` for the tenant's own data, `submit` to change it and cause calls, `operate`
 * for what all tenants share.
 */
export type Right = 'read' | 'submit' | 'operate'

const granted: Readonly<Record<Role, ReadonlySet<Right>>> = {
  submit: new Set(['read', 'submit']),
  operator: new Set(['read', 'submit', 'operate']),
}

export const mayDo = (role: Role, right: Right): boolean => granted[role].has(right)

/** The role with the fewest rights that has this one. */
export const roleFor = (right: Right): Role => roles.find(role => mayDo(role, right))!
