/**
Loaded into a program under test with `--import`. After each piece of input, and each change of size, it says on the socket SETTLING when some turns of the event loop have gone by
in which nothing was written: how many bytes the program has read from the terminal and written to it, and the size that it knows.
*/
import fs from 'node:fs';
import {syncBuiltinESMExports} from 'node:module';
import {connect} from 'node:net';
import process from 'node:process';
import {ReadStream} from 'node:tty';

/** More than there are between a key and its frame. */
const turns = 5;

const socket = connect(process.env.SETTLING);
socket.on('error', () => undefined);
socket.unref();

let read = 0;
let written = 0;
/** Bytes that went past the stream. */
let direct = 0;
let quiet = 0;
let waits = false;

function look() {
	const {bytesWritten, writableLength, columns, rows} = process.stdout;
	quiet = bytesWritten + direct === written && writableLength === 0 ? quiet + 1 : 0;
	written = bytesWritten + direct;
	if (quiet < turns) {
		setImmediate(look);
		return;
	}

	waits = false;
	socket.write(`${read} ${written} ${columns} ${rows}\n`);
}

function settle() {
	quiet = 0;
	if (!waits) {
		waits = true;
		setImmediate(look);
	}
}

const {push} = ReadStream.prototype;
ReadStream.prototype.push = function (chunk, ...rest) {
	const more = push.call(this, chunk, ...rest);
	if (chunk) {
		read += chunk.length;
		settle();
	}

	return more;
};

const {writeSync} = fs;
fs.writeSync = (fd, ...rest) => {
	const count = writeSync(fd, ...rest);
	direct += fd === process.stdout.fd ? count : 0;
	return count;
};

syncBuiltinESMExports();

process.on('SIGWINCH', settle);
