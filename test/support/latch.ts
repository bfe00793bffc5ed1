/** Something that others wait for until it is let go of. */
export type Latch = {held: Promise<void>; letGo: () => void};

export function latch(): Latch {
	let letGo!: () => void;
	const held = new Promise<void>(resolve => {
		letGo = resolve;
	});
	return {held, letGo};
}
