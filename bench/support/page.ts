import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {postgresProgram} from '../../test/support/clusters.ts';
import {type Figure, isMet, median} from './measure.ts';

const file = path.join(fileURLToPath(new URL('../..', import.meta.url)), 'docs', 'performance.md');

const short = (value: number): string => value >= 100 ? value.toFixed(0) : (value >= 10 ? value.toFixed(1) : value.toFixed(2));

function rowOf(figure: Figure): string {
	const {name, unit, ours, peer, theirs, ratio, goal, spread, others, note} = figure;
	const met = isMet(figure);
	const aim = goal === undefined ? '' : `${goal.least === undefined ? `≤ ${goal.most!}` : `≥ ${goal.least}`}${goal.of === 'ratio' ? ' ×' : ` ${unit}`}${met ? '' : ', missed'}`;
	const cells = [
		name,
		`${short(ours)} ${unit}`.trim(),
		peer === undefined ? '' : `${short(theirs!)} ${unit} (${peer})`,
		ratio === undefined ? '' : `${short(ratio)} ×`,
		aim,
		spread === undefined ? '' : `${spread.toFixed(0)} %`,
		others === undefined ? '' : `${others.toFixed(0)} %`,
		note ?? '',
	];
	return `| ${cells.join(' | ')} |`;
}

/** How quick this machine is just now: milliseconds that bare Node takes to start. On a shared one that differs by the hour, and every figure in milliseconds with it. */
function startOfNode(): number {
	return median(Array.from({length: 9}, () => {
		const began = performance.now();
		execFileSync(process.execPath, ['-e', '']);
		return performance.now() - began;
	}));
}

const machine = (): string => `${os.availableParallelism()} cores (${os.cpus()[0]!.model.trim()}), Linux ${os.release()}, Node ${process.versions.node}, ${execFileSync(postgresProgram('postgres'), ['--version'], {encoding: 'utf8'}).trim()}; bare Node starts in ${startOfNode().toFixed(0)} ms`;

/** Puts the figures of some benches in place of what the page had of them; the words around them are written by hand. */
export async function writePage(all: Readonly<Record<string, readonly Figure[]>>): Promise<void> {
	let page = readFileSync(file, 'utf8');
	for (const [name, figures] of Object.entries(all)) {
		const table = [
			`<!-- figures of ${name} -->`,
			`${new Date().toISOString().slice(0, 10)}, ${machine()}`,
			'',
			'| figure | ours | beside | ratio | goal | spread | others | |',
			'|---|---|---|---|---|---|---|---|',
			...figures.map(figure => rowOf(figure)),
			`<!-- end of ${name} -->`,
		].join('\n');
		const place = new RegExp(`<!-- figures of ${name} -->[\\s\\S]*?<!-- end of ${name} -->`);
		page = place.test(page) ? page.replace(place, () => table) : `${page.trimEnd()}\n\n## ${name}\n\n${table}\n`;
	}

	writeFileSync(file, page);
}
