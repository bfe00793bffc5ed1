/** Whether a letter begins a word of a text. */
const beginsWord = (text: string, index: number): boolean => index === 0 || /[^\p{L}\p{N}]/u.test(text[index - 1]!);

/**
How well a text fits what was typed: the letters in their order, better the nearer they stand together and at the beginnings of words; undefined where they are not all there.
A whole name is best, then one that begins so.
*/
export function fitOf(typed: string, name: string): number | undefined {
	const [wanted, text] = [typed.toLowerCase().replaceAll(/\s+/g, ' ').trim(), name.toLowerCase()];
	if (wanted === text) {
		return 10_000;
	}

	if (text.startsWith(wanted)) {
		return 5000 - text.length;
	}

	const whole = text.indexOf(wanted);
	if (whole !== -1) {
		return (beginsWord(text, whole) ? 3000 : 2000) - text.length - whole;
	}

	let score = 0;
	let before = -1;
	for (const letter of wanted.replaceAll(' ', '')) {
		// The next beginning of a word is better than the next letter, where it has it.
		let at = text.indexOf(letter, before + 1);
		for (let place = at; place !== -1; place = text.indexOf(letter, place + 1)) {
			if (beginsWord(text, place)) {
				at = at === before + 1 ? at : place;
				break;
			}
		}

		if (at === -1) {
			return undefined;
		}

		score += (at === before + 1 ? 15 : 0) + (beginsWord(text, at) ? 10 : 0) - Math.min(5, at - before);
		before = at;
	}

	return score - (text.length / 10);
}
