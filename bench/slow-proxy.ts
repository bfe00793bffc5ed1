/**
A way to a server with a delay in it, for trying a console on one far away: passes on to a port of this machine what comes to another, each way so many milliseconds later.

	node --import tsx bench/slow-proxy.ts 8081 8080 40
*/
import {createServer, connect, type Socket} from 'node:net';
import process from 'node:process';

const [from = 8081, to = 8080, delay = 40] = process.argv.slice(2).map(Number);

/** Passes on later, in order. */
function pass(source: Socket, target: Socket): void {
	source.on('data', (data: Uint8Array) => {
		setTimeout(() => {
			target.write(data);
		}, delay);
	});
	source.on('close', () => {
		setTimeout(() => {
			target.destroy();
		}, delay);
	});
	source.on('error', () => undefined);
}

createServer(socket => {
	const target = connect(to, '127.0.0.1');
	pass(socket, target);
	pass(target, socket);
}).listen(from, '127.0.0.1', () => {
	console.log(`127.0.0.1:${from} → 127.0.0.1:${to}, ${delay} ms each way; ctrl-c stops it.`);
});
