import assert from 'node:assert/strict';
import {after, suite, test} from 'node:test';
import {fingerprintOf} from '../source/keychain/index.ts';
import {migrate} from '../source/database/index.ts';
import {toColoniesError, Unauthenticated} from '../source/core/errors.ts';
import type {Context} from '../source/operations/index.ts';
import {noAnswer} from '../source/remote/failures.ts';
import {openRemote} from '../source/remote/index.ts';
import {headerLines} from '../source/console/views/frame.ts';
import {footerLines} from '../source/console/views/footer.ts';
import {bodyLines} from '../source/console/views/list.ts';
import {withoutStyle} from '../source/console/terminal/width.ts';
import {screenNames} from '../source/console/state.ts';
import {openColony} from './support/colony.ts';
import {opened, processOf, start} from './support/console-states.ts';
import {contextsOf, open} from './support/console.tsx';
import {openMemory} from './support/databases.ts';
import {newCertificate, serve, testCertificate} from './support/server.ts';

const database = await openMemory();
await migrate(database);
const own = await testCertificate();
const other = await newCertificate();
const served = await serve(database, {secure: true, local: true});
after(async () => database.close());

type Trusted = Extract<Parameters<typeof openRemote>[0]['address'], {host: string}>['trust'];

const contexts: Context[] = [];
after(async () => Promise.all(contexts.map(async context => context.close())));

/** A context on the server, as a console or a command opens it. */
async function reach(trust: Trusted, {attended = false} = {}): Promise<Context> {
	const context = await openRemote({address: {host: '127.0.0.1', port: served.port, trust, place: `the server at 127.0.0.1:${served.port}`}, kind: 'server', name: 'lab', startUnreachable: attended});
	contexts.push(context);
	return context;
}

suite('a server that is not trusted', () => {
	const cases: Array<[what: string, trust: Trusted, says: RegExp]> = [
		['another fingerprint', {kind: 'fingerprint', sha256: 'ab'.repeat(32)}, /has another fingerprint\.$/],
		['an authority that did not sign it', {kind: 'authority', ca: other.cert}, /is not trusted\.$/],
		['the authorities of the system', {kind: 'system'}, /is not trusted\.$/],
	];
	for (const [what, trust, says] of cases) {
		test(`is told apart from one that does not answer: ${what}`, async () => {
			const error = toColoniesError(await reach(trust).catch((error: unknown) => error));
			assert.equal(error.barrier, 'untrusted');
			assert.match(error.message, says);
			assert.doesNotMatch(error.message, /Cannot reach/);
			assert.ok(error.nothingDone, 'nothing was sent');
		});
	}

	for (const [code, says] of [['CERT_HAS_EXPIRED', /has expired/], ['CERT_NOT_YET_VALID', /not valid yet/], ['ERR_TLS_CERT_ALTNAME_INVALID', /for another name/], ['CERT_REVOKED', /was revoked/], ['INVALID_PURPOSE', /not trusted/]] as const) {
		test(`is told apart also where Node.js says ${code}`, () => {
			const error = noAnswer({place: 'the server at lab:8080', host: 'lab', port: 8080, trust: {kind: 'system'}}, Object.assign(new Error('certificate'), {code}), false);
			assert.equal(error.barrier, 'untrusted');
			assert.match(error.message, says);
			assert.doesNotMatch(error.message, /Cannot reach/);
		});
	}

	test('shows its fingerprint, for comparing', async () => {
		const error = toColoniesError(await reach({kind: 'fingerprint', sha256: 'ab'.repeat(32)}).catch((error: unknown) => error));
		assert.match(error.hint!, new RegExp(fingerprintOf(own.cert)));
	});
});

test('the console says that the certificate is another one and never that the server is away, and goes on by itself once it is the old one again', async () => {
	const colony = await openColony(database, served.context.broker);
	served.listening.reload(other);
	const person = await open({database, colonies: [colony], contexts: {...contextsOf(database), open: async () => reach({kind: 'fingerprint', sha256: own.fingerprint}, {attended: true})}});
	await person.until('NOT TRUSTED, no data');
	await person.until('its certificate has another fingerprint.');
	await person.until(/Somebody may\s+stand in between; nothing is sent\. 8 says what to do\./);
	assert.doesNotMatch(person.frame(), /away|AWAY|Loading/);
	person.press('8');
	await person.until('No data yet.');
	await person.until('colonies context add lab --host');
	await person.until(other.fingerprint);
	served.listening.reload(own);
	await person.until('live');
	await person.until('mycolony');
});

test('the console goes on by itself once the operator has kept the new fingerprint of its context', async () => {
	const colony = await openColony(database, served.context.broker);
	let kept = other.fingerprint;
	const person = await open({database, colonies: [colony], contexts: {...contextsOf(database), open: async (_, {attended} = {}) => reach({kind: 'fingerprint', sha256: kept}, {attended})}});
	await person.until('NOT TRUSTED, no data');
	kept = own.fingerprint;
	await person.until('live');
	assert.equal(person.state().colony?.colonyid, colony.id);
});

test('whatever screen is shown, at any size, a certificate that is not trusted is called so, and what is old says how old it is', () => {
	for (const screen of screenNames) {
		for (const [columns, rows] of [[160, 45], [120, 36], [80, 24], [60, 15]] as const) {
			const console = opened({screen, columns, height: rows});
			console.tell({
				type: 'reached', reachable: false, since: start, barrier: 'untrusted',
				reason: 'Not trusting the server at lab.example:8080: its certificate has another fingerprint.', hint: 'Compare it.',
			}, {type: 'ticked', now: start + 5000});
			const all = [...headerLines(console.state), ...bodyLines(console.state), ...footerLines(console.state)].map(line => withoutStyle(line)).join('\n');
			assert.match(all, /NOT TRUSTED/, screen);
			assert.match(all, /not\s+trusted|not\s+trusting/i, screen);
			assert.doesNotMatch(all, /away/i, screen);
			assert.match(footerLines(console.state).map(line => withoutStyle(line).trimEnd()).join(' '), /Somebody may stand in between; nothing is sent\. 8 says what to do\.$/, `${screen} ${columns}`);
			console.press('n');
			assert.doesNotMatch(console.state.notice?.text ?? '', /away/);
		}
	}
});

test('a database that does not let the user in any more is not called away', () => {
	const console = opened({columns: 120});
	console.tell({type: 'reached', reachable: false, since: start, barrier: 'refused', reason: 'Cannot connect to db: the password is wrong, or there is no such user.'});
	console.load([processOf(0)]);
	assert.match(withoutStyle(headerLines(console.state)[0]!), /REFUSED 0s old/);
	assert.match(footerLines(console.state).map(line => withoutStyle(line).trimEnd()).join(' '), /^The database does not let you in; .* Changes are refused until it does\. Cannot connect to db: the password is wrong/);
});

test('a store that refuses every signature, as where a clock is wrong, is no store without colonies', async () => {
	const colony = await openColony(database);
	const base = contextsOf(database);
	const person = await open({database, colonies: [colony], contexts: {...base, async open(choice, options) {
		const context = await base.open(choice, options);
		return {...context, async run(): Promise<never> {
			throw new Unauthenticated('The request was signed 300 seconds ago by the clock of this server; at most 60 are accepted.', {hint: 'Set the clock of this machine.'});
		}};
	}}});
	await person.until('The request was signed 300 seconds ago');
	assert.doesNotMatch(person.frame(), /Welcome|No colonies|4 to choose/);
	person.press('4');
	await person.until('Set the clock of this machine.');
	assert.doesNotMatch(person.frame(), /No colonies/);
});
