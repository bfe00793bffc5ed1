import {readFileSync} from 'node:fs';
import process from 'node:process';

/** Milliseconds between two looks. */
const lookEveryMs = 1000;

type Status = {parent: number; group: number; session: number; /** The process group in the foreground of its terminal; -1 without one. */ foreground: number};

/** What Linux says of a process (proc(5), `stat`); undefined elsewhere, and for one that is gone. */
function statusOf(pid: number): Status | undefined {
	try {
		const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
		// The name before it stands in parentheses, and may hold some.
		const [, parent, group, session, , foreground] = text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number) as [number, number, number, number, number, number];
		return {parent, group, session, foreground};
	} catch {
		return undefined;
	}
}

export type Link = {child: number; parent: number};

/**
Whom a program in the foreground of a terminal was started by, up to the leader of its session: the shell, and what stands between, such as npm and its own shell.
Nobody for one that was detached: whose parent is init or in another session, or that is not in the foreground.
*/
export function lineageOf(pid: number): Link[] {
	const own = statusOf(pid);
	if (!own) {
		// No /proc: what Node.js itself knows.
		return pid === process.pid && process.ppid > 1 ? [{child: pid, parent: process.ppid}] : [];
	}

	const links: Link[] = [];
	if (own.group !== own.foreground) {
		return links;
	}

	for (let [child, parent] = [pid, own.parent]; parent > 1 && child !== own.session;) {
		const status = statusOf(parent);
		if (status?.session !== own.session) {
			break;
		}

		links.push({child, parent});
		[child, parent] = [parent, status.parent];
	}

	return links;
}

const holds = ({child, parent}: Link): boolean => (child === process.pid ? process.ppid : statusOf(child)?.parent) === parent;

/** Calls `gone` once when somebody who started this program has gone and left it in the terminal, as where npm is killed. Returns the function that stops looking. */
export function watchParents(gone: () => void): () => void {
	const lineage = lineageOf(process.pid);
	const timer = setInterval(() => {
		if (!lineage.every(link => holds(link))) {
			clearInterval(timer);
			gone();
		}
	}, lookEveryMs);
	timer.unref();
	return () => {
		clearInterval(timer);
	};
}
