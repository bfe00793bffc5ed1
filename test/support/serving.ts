// A process that runs `server start` with a server that is none, for signals from outside. Argument: how its closing goes, `quick` or `never`.
import {once} from 'node:events';
import process from 'node:process';
import {runCommand, type World} from '../../source/commands/index.ts';
import type {HostedContext} from '../../source/operations/index.ts';

const closing = process.argv[2];
const busy = setInterval(() => undefined, 1000);
const context = {
	watchReachability: () => () => undefined,
	async close() {
		clearInterval(busy);
	},
} as unknown as HostedContext;

process.exitCode = await runCommand(['server', 'start', '--rootpassword', 'hunter2', '--plain'], {
	contexts: {openHosted: async () => context} as unknown as World['contexts'],
	env: {}, stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, version: '1.2.3',
	certificate: {} as unknown as World['certificate'],
	serve: async () => ({
		port: 8080,
		reload: () => undefined,
		async close() {
			if (closing === 'never') {
				await once(process, 'never');
			}
		},
	}),
} as unknown as World);
