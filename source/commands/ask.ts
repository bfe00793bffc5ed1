import {Buffer} from 'node:buffer';
import {StringDecoder} from 'node:string_decoder';
import {ColoniesError} from '../core/errors.ts';
import {visible} from '../core/text.ts';
import {rest, StandardInput, wake} from './standard-input.ts';
import type {InputStream, World} from './world.ts';

const cancelled = (what: string): ColoniesError => new ColoniesError('cancelled', `${what}; nothing was changed.`);

// eslint-disable-next-line no-control-regex -- what arrow and function keys send
const escapeSequence = /\u001B(?:\[[\d;?]*[@-~]|O.|[^[O]|$)/gu;

/** What a typed character does to a secret. */
type Typing = {text: string; done: 'entered' | 'cancelled' | undefined};

function type({text}: Typing, character: string): Typing {
	switch (character) {
		case '\r':
		case '\n': {
			return {text, done: 'entered'};
		}

		case '\u0003': {
			return {text, done: 'cancelled'};
		}

		case '\u0004': {
			return {text, done: text === '' ? 'cancelled' : 'entered'};
		}

		case '\u0008':
		case '\u007F': {
			return {text: [...text].slice(0, -1).join(''), done: undefined};
		}

		case '\u0015': {
			return {text: '', done: undefined};
		}

		default: {
			return {text: character < ' ' ? text : text + character, done: undefined};
		}
	}
}

type Shown = {ask: () => void; show: (before: number, after: number) => void};

/** Asks and reads keys until enter or ctrl-c; `show` hears how many characters there are. The terminal is raw meanwhile, and what it was afterwards. */
async function typeSecret(stream: InputStream, {ask, show}: Shown): Promise<string> {
	const decoder = new StringDecoder('utf8');
	return new Promise((resolve, reject) => {
		let typing: Typing = {text: '', done: undefined};
		const stop = () => {
			stream.removeListener('data', hear);
			stream.removeListener('end', end);
			stream.setRawMode?.(false);
			rest(stream);
		};

		const end = () => {
			stop();
			reject(cancelled('The input ended'));
		};

		const hear = (chunk: string | Uint8Array) => {
			const characters = [...(typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk))).replaceAll(escapeSequence, '')];
			while (characters.length > 0 && typing.done === undefined) {
				const before = typing.text.length;
				typing = type(typing, characters.shift()!);
				show(before, typing.text.length);
			}

			if (typing.done === undefined) {
				return;
			}

			stop();
			if (typing.done === 'cancelled') {
				reject(cancelled('It was cancelled'));
				return;
			}

			if (characters.length > 0) {
				stream.unshift(characters.join(''));
			}

			resolve(typing.text);
		};

		// First, or the terminal itself shows what is typed at once.
		stream.setRawMode?.(true);
		ask();
		stream.on('data', hear);
		stream.on('end', end);
		wake(stream);
	});
}

/**
Asks for a secret on a terminal, on standard error, with a star for each character.
@throws ColoniesError `cancelled` on ctrl-c
*/
export async function askSecret(input: StandardInput, {stderr}: Pick<World, 'stderr'>, question: string): Promise<string> {
	try {
		return await typeSecret(input.stream, {
			ask() {
				stderr.write(`${visible(question)}: `);
			},
			show(before, after) {
				stderr.write(after > before ? '*'.repeat(after - before) : '\b \b'.repeat(before - after));
			},
		});
	} finally {
		stderr.write('\n');
	}
}

/** The same where no command reads its input yet. @throws ColoniesError `cancelled` on ctrl-c */
export const askAtTerminal = async ({stdin, stderr}: {stdin: InputStream; stderr: World['stderr']}, question: string): Promise<string> => askSecret(new StandardInput(stdin), {stderr}, question);

/**
Asks before something is lost: the answer is one line of standard input, terminal or not, and only `YES` means yes.
@param what what would be lost, a sentence
@throws ColoniesError `cancelled` for any other answer
*/
export async function askYes(input: StandardInput, {stderr}: Pick<World, 'stderr'>, what: string): Promise<void> {
	stderr.write(`${visible(what)}\nType YES to go on: `);
	const answer = await input.answer();
	if (input.stream.isTTY !== true) {
		stderr.write('\n');
	}

	if (answer.trim() !== 'YES') {
		throw new ColoniesError('cancelled', 'The answer was not YES; nothing was changed.', {hint: 'Type YES in capital letters, or give --yes.'});
	}
}

/**
Asks before many are changed: on a terminal the count is typed, and nothing else means yes.
@throws ColoniesError `cancelled` for any other answer, and where nobody types
*/
export async function askCount(input: StandardInput, {stderr}: Pick<World, 'stderr'>, count: number): Promise<void> {
	if (!input.isTerminal) {
		throw new ColoniesError('cancelled', 'There is no terminal to type the count on; nothing was changed.', {hint: 'Give --yes to go on without being asked.'});
	}

	stderr.write(`Type ${count} to go on: `);
	const answer = await input.answer();
	if (answer.trim().replaceAll(/[,_ ]/g, '') !== String(count)) {
		throw new ColoniesError('cancelled', `The answer was not ${count}; nothing was changed.`, {hint: 'Type the count, or give --yes.'});
	}
}
