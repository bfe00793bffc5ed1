// A process in which computers work through the package's client until whoever started it is gone. It tells what they did and were told.
import process from 'node:process';
import {setTimeout as pause} from 'node:timers/promises';
import {connect} from '../../../source/index.ts';
import type {Id} from '../../../source/core/types.ts';
import {resultOf} from './ledger.ts';

/** Who works, in which half, and at which server. */
export type Orders = {colonyid: Id; computers: Array<{privateKey: string; half: 0 | 1; port: number; fingerprint: string}>};
/** What happened since the last report. `closed`: with the time in milliseconds since 1970. */
export type Report = {isReady?: true; started: Id[]; closed: Array<[Id, at: number, half: 0 | 1]>; said: string[]};

const reportEvery = 50;
/** Milliseconds that a handler works at most. */
const longestWork = 20;

const nothing = (): Report => ({started: [], closed: [], said: []});

async function begin({colonyid, computers}: Orders): Promise<void> {
	let report: Report = nothing();
	const workers = await Promise.all(computers.map(async ({privateKey, half, port, fingerprint}) => {
		const client = await connect({host: '127.0.0.1', port, fingerprint, privateKey, colonyid});
		return client.work(async ({process: {processid}, in: {number}}) => {
			report.started.push(processid);
			await pause(Math.random() * longestWork);
			return {result: resultOf(number!)};
		}, {
			concurrency: 2,
			notice(sentence) {
				report.said.push(sentence);
			},
			report({process: {processid}, state, reason}) {
				if (state === 'successful') {
					report.closed.push([processid, Date.now(), half]);
				} else if (state !== 'started') {
					report.said.push(`${processid} is ${state}: ${reason}`);
				}
			},
		});
	}));
	process.send!({...nothing(), isReady: true} satisfies Report);
	setInterval(() => {
		if (report.started.length + report.closed.length + report.said.length > 0) {
			process.send!(report);
			report = nothing();
		}
	}, reportEvery);
	// One that can never work ends this process.
	await Promise.all(workers.map(async ({done}) => done));
}

process.once('message', orders => {
	void begin(orders as Orders);
});
process.on('disconnect', () => {
	process.exit();
});
