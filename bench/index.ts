/* eslint-disable no-await-in-loop -- One after the other is how it is measured. */
/**
What `npm run bench [-- NAME…] [--json]` runs: measures this program beside its peers, in the same run and on the same machine, and writes the figures into docs/performance.md.
`BENCH_SECONDS` and `BENCH_ROUNDS` say how long and how often each is measured. Nothing in it is a test.
*/
import process from 'node:process';
import {consoles} from './console.ts';
import {core} from './core.ts';
import {embedded} from './embedded.ts';
import {server} from './server.ts';
import {storage} from './storage.ts';
import {type Figure, isMet} from './support/measure.ts';
import {writePage} from './support/page.ts';
import {wake} from './wake.ts';

const benches: Record<string, () => AsyncGenerator<Figure>> = {
	core, server, wake, storage, console: consoles, embedded,
};

const words = process.argv.slice(2);
const isJson = words.includes('--json');
const names = words.filter(word => word !== '--json');
const unknown = names.find(name => !Object.hasOwn(benches, name));
if (unknown !== undefined) {
	console.error(`There is no bench ${JSON.stringify(unknown)}. There are: ${Object.keys(benches).join(', ')}.`);
	process.exit(2); // eslint-disable-line unicorn/no-process-exit
}

const short = (value: number): string => value >= 100 ? value.toFixed(0) : (value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** A figure in one line. */
function lineOf(figure: Figure): string {
	const {name, unit, ours, peer, theirs, ratio, goal, spread, others, note} = figure;
	const met = isMet(figure);
	return [
		name.padEnd(72),
		`${short(ours)} ${unit}`.padStart(12),
		peer === undefined ? '' : `${short(theirs!)} ${unit}, ${peer}: ${short(ratio!)} ×`,
		goal === undefined ? '' : `goal ${goal.least === undefined ? `≤ ${goal.most!}` : `≥ ${goal.least}`}${goal.of === 'ratio' ? ' ×' : ''}: ${met ? 'met' : 'MISSED'}`,
		spread === undefined ? '' : `spread ${spread.toFixed(0)} %`,
		others === undefined ? '' : `others ${others.toFixed(0)} %`,
		note ?? '',
	].filter(text => text !== '').join('  ');
}

const all: Record<string, Figure[]> = {};
for (const [name, bench] of Object.entries(benches).filter(([name]) => names.length === 0 || names.includes(name))) {
	all[name] = [];
	for await (const figure of bench()) {
		all[name].push(figure);
		if (!isJson) {
			console.log(lineOf(figure));
		}
	}
}

if (isJson) {
	console.log(JSON.stringify(all, null, '\t'));
}

await writePage(all);
process.exit(0); // eslint-disable-line unicorn/no-process-exit -- What is still open ends with it.
