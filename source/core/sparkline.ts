const blocks = '▁▂▃▄▅▆▇█';

/**
Values as a line of blocks at most `width` characters wide, the greatest as the highest block; none for 0, and the lowest for the least that is more.
Where there are more values than characters, each stands for the greatest of its share. `most`: what the highest block stands for, unless it is the greatest value.
*/
export function sparkline(values: readonly number[], width: number, most = Math.max(...values)): string {
	const count = Math.min(values.length, Math.max(0, Math.floor(width)));
	return Array.from({length: count}, (_, index) => {
		const share = values.slice(Math.floor(index * values.length / count), Math.floor((index + 1) * values.length / count));
		const value = Math.max(...share);
		return value > 0 && most > 0 ? blocks[Math.min(blocks.length, Math.ceil(value / most * blocks.length)) - 1]! : ' ';
	}).join('');
}
