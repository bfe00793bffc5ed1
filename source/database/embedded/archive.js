// Plain JavaScript, so that a worker thread and the build run it as it is.
import {Buffer} from 'node:buffer';
import {
	mkdirSync, readdirSync, readFileSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import {gunzipSync, gzipSync} from 'node:zlib';

const block = 512;

/** @param {Buffer} header @param {string} text @param {number} offset */
const put = (header, text, offset) => {
	header.write(text, offset, 'latin1');
};

/** @param {number} value @param {number} digits */
const octal = (value, digits) => `${value.toString(8).padStart(digits, '0')}\0`;

/** The header of one entry in the ustar format. @param {string} name @param {number} size @param {boolean} isFolder */
function headerOf(name, size, isFolder) {
	if (name.length > 100) {
		throw new Error(`The name ${name} is too long for the archive.`);
	}

	const header = Buffer.alloc(block);
	put(header, name, 0);
	put(header, octal(isFolder ? 0o700 : 0o600, 7), 100);
	put(header, octal(0, 7), 108);
	put(header, octal(0, 7), 116);
	put(header, octal(size, 11), 124);
	put(header, octal(0, 11), 136);
	put(header, '        ', 148);
	put(header, isFolder ? '5' : '0', 156);
	put(header, 'ustar\u000000', 257);
	let sum = 0;
	for (const byte of header) {
		sum += byte;
	}

	put(header, `${sum.toString(8).padStart(6, '0')}\0 `, 148);
	return header;
}

/**
All files and folders below a folder, as a gzipped tar archive.
@param {string} folder
@returns {Buffer}
*/
export function pack(folder) {
	/** @type {Buffer[]} */
	const parts = [];
	const entries = readdirSync(folder, {withFileTypes: true, recursive: true})
		.map(entry => ({isFolder: entry.isDirectory(), name: path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/')}))
		.sort((a, b) => a.name < b.name ? -1 : 1);
	for (const {name, isFolder} of entries) {
		const content = isFolder ? Buffer.alloc(0) : readFileSync(path.join(folder, name));
		parts.push(headerOf(name, content.length, isFolder), content, Buffer.alloc((block - (content.length % block)) % block));
	}

	parts.push(Buffer.alloc(2 * block));
	return gzipSync(Buffer.concat(parts), {level: 9});
}

/**
Writes what `pack` has packed into a folder, which it makes. For its owner only.
@param {string} archive a file
@param {string} folder
*/
export function unpack(archive, folder) {
	const tar = gunzipSync(readFileSync(archive));
	mkdirSync(folder, {recursive: true, mode: 0o700});
	for (let offset = 0; tar[offset] !== 0;) {
		const name = tar.toString('latin1', offset, tar.indexOf(0, offset));
		const size = Number.parseInt(tar.toString('latin1', offset + 124, offset + 135), 8);
		const isFolder = tar[offset + 156] === 0x35;
		offset += block;
		if (isFolder) {
			mkdirSync(path.join(folder, name), {recursive: true, mode: 0o700});
		} else {
			writeFileSync(path.join(folder, name), tar.subarray(offset, offset + size), {mode: 0o600});
		}

		offset += Math.ceil(size / block) * block;
	}
}
