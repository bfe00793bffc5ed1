// A computer: it asks for processes, runs the function for each, four at once, and writes what that returns as their out attributes.
// It works where the commands would (the current context, else the embedded database), with its key from the keychain:
//
//     node examples/worker.mjs COLONYID COMPUTERID
//
// ctrl-c, or SIGTERM, lets it finish what it runs.
import process from 'node:process';
import {connect} from 'colonies-tui';

const [colonyid, id] = process.argv.slice(2);
const computer = await connect({colonyid, id});
const worker = computer.work(async ({in: given, out}) => {
	await out('progress', `greeting ${given.name ?? 'somebody'}`);
	return {greeting: `Hello, ${given.name ?? 'world'}!`};
}, {concurrency: 4, handleSignals: true});
await worker.done;
await computer.close();
