// A process that opens connections to a server, makes one request on each, and keeps them. It prints how many it got, and stays until its input ends.
import net from 'node:net';
import process from 'node:process';

const [port, wanted] = process.argv.slice(2).map(Number) as [number, number];
const sockets: net.Socket[] = [];

const open = async (): Promise<boolean> => new Promise(resolve => {
	const socket = net.connect(port, '127.0.0.1', () => {
		socket.write('GET /nothing HTTP/1.1\r\nhost: test\r\n\r\n');
	});
	socket.on('error', () => {
		resolve(false);
	});
	socket.once('data', () => {
		sockets.push(socket);
		resolve(true);
	});
});

const worker = async (): Promise<void> => {
	while (sockets.length < wanted) {
		if (!await open()) {
			return;
		}
	}
};

await Promise.all(Array.from({length: 50}, async () => worker()));
process.stdout.write(`${sockets.length}\n`);
process.stdin.resume().once('end', () => {
	process.exit(0); // eslint-disable-line unicorn/no-process-exit
});
