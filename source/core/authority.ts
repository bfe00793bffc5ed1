/**
Who somebody is to one colony. `computer-*` carries the state of the computer's own record.
*/
export const roles = ['root', 'owner', 'approved', 'pending', 'disapproved', 'stranger'] as const;
export type Role = (typeof roles)[number];

/**
Who may do something, one row of domain.md's table "Who may do what".
`self` lists the roles for which it holds only where the call is about the caller's own record: the computer it names, or the process assigned to it.
*/
export type Rule = {
	readonly allowed: readonly Role[];
	readonly self: readonly Role[];
	/** Said to whoever is refused. */
	readonly refusal: string;
};

const rule = (refusal: string, allowed: readonly Role[], self: readonly Role[] = []): Rule => ({allowed, self, refusal});

export const root = rule('Only root may do this.', ['root']);
export const anyMember = rule('Only the colony owner, its approved computers or root may do this.', ['root', 'owner', 'approved']);
export const ownerOrRoot = rule('Only the colony owner or root may do this.', ['root', 'owner']);
export const colonyOwner = rule('Only the colony owner may do this.', ['owner']);
export const member = rule('Only the colony owner or one of its approved computers may do this.', ['owner', 'approved']);
export const memberOrSelf = rule('Only the colony owner, its approved computers, or a computer about itself may do this.', ['owner', 'approved'], ['pending', 'disapproved']);
export const approvedSelf = rule('Only an approved computer, for itself, may do this.', [], ['approved']);

/** Whether a rule lets this role through. `isSelf`: the call is about the caller's own record. */
export function allows(rule: Rule, role: Role, isSelf: boolean): boolean {
	return rule.allowed.includes(role) || (isSelf && rule.self.includes(role));
}
