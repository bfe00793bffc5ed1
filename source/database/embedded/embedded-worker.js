// The thread in which PGlite runs. Plain JavaScript, so that it starts alike from the source and from the bundle.
import {Blob} from 'node:buffer';
import {
	existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {parentPort, workerData} from 'node:worker_threads';
import {gunzipSync} from 'node:zlib';
import {PGlite} from '@electric-sql/pglite';
import {pack, unpack} from './archive.js';
import {ask, askTogether, faultOf} from './protocol.js';

const settings = [
	'shared_buffers=16MB',
	'max_wal_size=64MB',
	'min_wal_size=32MB',
	// Times of statements outside transactions are quickest read in UTC.
	'TimeZone=UTC',
];

const startArguments = [...PGlite.defaultStartParams, ...settings.flatMap(setting => ['-c', setting])];

/**
PGlite takes its time from Date.now, which counts whole milliseconds; what happens within one would have the same time. Counts microseconds, and stays within the true millisecond.
*/
function countMicroseconds() {
	const milliseconds = Date.now.bind(Date);
	let offset = performance.timeOrigin;
	Date.now = () => {
		const now = milliseconds();
		const counted = offset + performance.now();
		const nearest = Math.min(Math.max(counted, now), now + 0.999);
		// The clock was set, or the machine slept.
		offset += nearest - counted;
		return nearest;
	};
}

/** @param {string} file where the archive of a fresh database goes */
async function makeTemplate(file) {
	const folder = mkdtempSync(path.join(tmpdir(), 'colonies-template-'));
	try {
		const instance = await PGlite.create({dataDir: folder, startParams: startArguments});
		await instance.close();
		const unfinished = `${file}.${process.pid}.${Date.now()}`;
		writeFileSync(unfinished, pack(folder), {mode: 0o600});
		renameSync(unfinished, file);
	} finally {
		rmSync(folder, {recursive: true, force: true});
	}
}

/** PostgreSQL's newest complaint: it says best why the database does not start. @type {string | undefined} */
let complaint;

/** @param {string} line */
function hearComplaint(line) {
	const [, severity, text] = /\b(FATAL|PANIC):\s+(.*)/.exec(line) ?? [];
	complaint = text ?? complaint;
	if (severity === 'PANIC') {
		// PGlite never answers again, nor does it end.
		parentPort.postMessage({lost: text});
	}

	return false;
}

async function open() {
	const {folder, staging, template} = workerData;
	if (folder === undefined) {
		// Unzipped here, for PGlite takes five times as long.
		const loadDataDir = new Blob([gunzipSync(readFileSync(template))], {type: 'application/x-tar'});
		return PGlite.create({
			dataDir: 'memory://', startParams: startArguments, loadDataDir, onStderr: hearComplaint,
		});
	}

	if (!existsSync(folder)) {
		unpack(template, staging);
		// From here on the folder is whole.
		renameSync(staging, folder);
	}

	return PGlite.create({dataDir: folder, startParams: startArguments, onStderr: hearComplaint});
}

/** @param {import('./protocol.js').Instance} instance */
async function answer(instance, {text, values, legs, script, end}) {
	if (legs) {
		return askTogether(instance, legs);
	}

	if (end) {
		await instance.close();
	} else if (script === undefined) {
		return ask(instance, text, values);
	} else {
		await instance.exec(script);
	}
}

async function serve() {
	countMicroseconds();
	const instance = await open();
	instance.onNotification((channel, payload) => {
		parentPort.postMessage({channel, payload});
	});
	// One after another, in the order of the questions.
	let last = Promise.resolve();
	parentPort.on('message', question => {
		last = reply(instance, question, last);
	});
}

/** @param {import('./protocol.js').Instance} instance @param {Promise<void>} before */
async function reply(instance, question, before) {
	await before;
	try {
		parentPort.postMessage({id: question.id, answer: await answer(instance, question)});
	} catch (error) {
		parentPort.postMessage({id: question.id, fault: faultOf(error)});
	}
}

try {
	await (workerData.makeTemplate ? makeTemplate(workerData.makeTemplate) : serve()); // eslint-disable-line unicorn/prefer-top-level-await -- it is awaited

	parentPort.postMessage({ready: true});
} catch (error) {
	parentPort.postMessage({failed: {...faultOf(error), complaint}});
}
