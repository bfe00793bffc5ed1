// Submits one process and waits for what comes of it, then a thousand in one request:
//
//     node examples/submit.mjs COLONYID
//
// It is signed by the owner of the colony, whose key is in the keychain. Start examples/worker.mjs or examples/work.sh beside it.
import process from 'node:process';
import {connect} from 'colonies-tui';

const [colonyid] = process.argv.slice(2);
const owner = await connect({colonyid, id: colonyid});
const {processid} = await owner.submit({in: {name: 'Ada'}, timeout: 60, maxretries: 3});
console.log(`Submitted ${processid}.`);

// 0 is waiting, 1 running, 2 successful, 3 failed. Whenever something changes in the colony it is looked at again.
let ended;
let tell;
const stop = owner.watch(() => tell?.());
do {
	const changed = new Promise(resolve => {
		tell = resolve;
	});
	ended = await owner.run('process.get', {colonyid, processid});
	await (ended.status > 1 || changed);
} while (ended.status < 2);

stop();
console.log(ended.status === 2 ? 'It was successful:' : 'It failed:', [...ended.out ?? [], ...ended.err ?? []].map(({key, value}) => `${key} = ${value.trim()}`).join(', '));

const many = await owner.submit(Array.from({length: 1000}, (_, n) => ({in: {name: `number ${n}`}, timeout: 60, maxretries: 3})));
console.log(`Submitted ${many.length} more.`);
await owner.close();
