import {shortId, visible} from '../core/text.ts';
import {type Field, type Fields, colonySpec, computerSpec, processSpec} from '../operations/index.ts';
import {whyNoChange, whyReadOnly} from './deeds.ts';
import type {FormField, FormPurpose, Overlay, State} from './state.ts';
import {textOf} from './terminal/text-edit.ts';

type Form = Extract<Overlay, {kind: 'form'}>;

const field = (name: string, label: string, summary: string, more: Partial<FormField> = {}): FormField => ({name, label, summary, kind: 'text', optional: false, edit: textOf(''), ...more});

const kinds: Partial<Record<Field['kind'], FormField['kind']>> = {integer: 'integer', number: 'integer', pair: 'pairs', secret: 'secret'};

/** Form fields out of the fields of a spec, so that a form asks for what the operation takes. */
const fieldsOf = (fields: Fields): FormField[] => Object.entries(fields)
	.map(([name, {label, summary, kind, optional}]) => field(name, label, summary, {kind: kinds[kind] ?? 'text', optional}));

const rootField = (state: State): FormField[] => state.rootUnlocked ? [] : [field('rootpassword', 'Root password', 'Of this installation; where none is set yet, choose one', {kind: 'secret'})];

// A trace is for programs: a spec file has it.
const {targetcolonyid: _, traceparent: __, targetcomputerids, ...usual} = processSpec;
/** What a process asks for, what is asked most often first. */
const askedOfProcess = {...usual, targetcomputerids};

/** The last one: whoever has no file comes by nothing else on the way to the name. */
const specFile = field('file', 'Spec file', 'A JSON file in place of the fields above', {kind: 'file', optional: true});

const forms: Record<FormPurpose, (state: State) => Omit<Form, 'kind' | 'purpose' | 'focus' | 'busy'>> = {
	'register-colony': state => ({
		title: 'Register a colony',
		intro: 'The key of its owner is made here and kept in the keychain.',
		fields: [...fieldsOf(colonySpec), ...rootField(state)],
	}),
	'register-computer': state => ({
		title: `Register a computer in ${visible(state.colony?.name ?? '')}`,
		intro: 'Its key is made here and kept in the keychain; it waits for approval then.',
		fields: [...fieldsOf(computerSpec), specFile],
	}),
	'submit-process': state => ({
		title: `Submit a process to ${visible(state.colony?.name ?? '')}`,
		intro: 'It waits until a computer that has what it asks for takes it.',
		fields: [
			...fieldsOf(askedOfProcess).map(each => each.kind === 'pairs' ? {...each, summary: 'Attributes that go in: key=value, key=value; or a JSON object'} : each),
			specFile,
		],
	}),
	'add-key': () => ({
		title: 'Add a key to the keychain',
		intro: 'It is checked, kept in the config folder, and never shown again here.',
		fields: [field('privatekey', 'Private key', '64 hex digits', {kind: 'secret'})],
	}),
	'unlock-root': () => ({
		title: 'Unlock root',
		intro: 'The password is kept in memory, for this run only.',
		fields: [field('rootpassword', 'Root password', 'Of this installation', {kind: 'secret'})],
	}),
	'connect-server': () => ({
		title: 'Connect to a Colonies server',
		intro: 'The server becomes the current context. Your keys stay on this machine.',
		fields: [
			field('host', 'Host', 'Name or address of the server'),
			field('port', 'Port', 'Port of the server', {kind: 'integer', edit: textOf('8080')}),
			field('fingerprint', 'Fingerprint', 'SHA-256 of its certificate, as `colonies server start` says it; empty where an authority signed it', {optional: true}),
			field('tlsca', 'CA file', 'File (PEM) with the authority that signed its certificate; empty for those of this system', {optional: true}),
		],
	}),
	connect: () => ({
		title: 'Connect to a PostgreSQL or TimescaleDB database',
		intro: 'The schema is made there if there is none, and the database becomes the current context.',
		fields: [
			field('dbhost', 'Host', 'Name, address, or the folder of a Unix socket', {edit: textOf('localhost')}),
			field('dbport', 'Port', 'Port of PostgreSQL', {kind: 'integer', edit: textOf('5432')}),
			field('dbuser', 'User', 'User of the database', {edit: textOf('postgres')}),
			field('dbpassword', 'Password', 'Its password; kept in the settings, mode 0600', {kind: 'secret', optional: true}),
			field('dbname', 'Database', 'Name of the database', {edit: textOf('postgres')}),
			field('dbschema', 'Schema', 'Schema in the database', {edit: textOf('colonies')}),
			field('dbssl', 'TLS', 'yes to ask for TLS, with the certificate checked; no for none', {optional: true, edit: textOf('no')}),
		],
	}),
};

const inColony: ReadonlySet<FormPurpose> = new Set(['register-computer', 'submit-process']);

/** A form, empty, for its purpose. */
export const openForm = (purpose: FormPurpose, state: State): Form => ({
	kind: 'form', purpose, focus: 0, busy: false, ...(inColony.has(purpose) && state.colony ? {colonyid: state.colony.colonyid} : {}), ...forms[purpose](state),
});

/** A form whose root password would be the first one: it has to be typed again, in a field of its own. */
export function askAgain(form: Form): Form {
	if (form.purpose !== 'register-colony') {
		return {...form, error: {code: 'unauthenticated', message: noRoot, hint: 'Register a colony with n on 4 Colonies, and choose it there.'}};
	}

	const fields = [...form.fields.filter(({name}) => name !== 'again'), field('again', 'Password again', 'It becomes the root password; you cannot see it again', {kind: 'secret'})];
	return {...form, fields, focus: fields.length - 1, error: {code: 'unauthenticated', message: noRoot, hint: 'Type the one that you chose again.'}};
}

const noRoot = 'This installation has no root password yet.';

/** Whether a form holds something that was typed, and would be lost. */
export const isTyped = ({fields}: Form): boolean => fields.some(({given, edit}) => given !== undefined && given !== edit.text);

/** The texts of a form by field. */
export const valuesOf = (form: Form): Record<string, string> => Object.fromEntries(form.fields.map(({name, edit}) => [name, edit.text]));

/** The form with its complaints: fields that must be filled, and whole numbers that are none. The first at fault gets the cursor. */
export function checkForm(form: Form): Form {
	const fromFile = form.fields.some(({kind, edit}) => kind === 'file' && edit.text !== '');
	const fields = form.fields.map(each => ({...each, error: complaint(each, fromFile)}));
	const first = fields.findIndex(({error}) => error !== undefined);
	return {...form, fields, focus: first === -1 ? form.focus : first};
}

function complaint({kind, optional, edit, label}: FormField, fromFile: boolean): string | undefined {
	if (fromFile && kind !== 'file') {
		return undefined;
	}

	if (edit.text.trim() === '') {
		return optional ? undefined : `${label} is missing.`;
	}

	return kind === 'integer' && !/^-?\d+$/.test(edit.text.trim()) ? `${label} must be a whole number.` : undefined;
}

/** Why a form that is about a colony cannot be sent any more: that colony is not open, and another one may be. */
export const whyColonyGone = ({colonyid}: Form, state: State): string | undefined =>
	colonyid === undefined || colonyid === state.colony?.colonyid ? undefined : 'The colony of this form is gone, or the key that opened it; esc closes the form.';

/** What is left of a form when the colony is gone: one about something else stays as it is, one that was typed into stays and says so, and an empty one goes. */
export function leftOfForm(form: Form, colony: string): Form[] {
	if (form.colonyid === undefined || form.busy) {
		return [form];
	}

	return isTyped(form) ? [{...form, error: {code: 'not-found', message: `The colony ${colony} is gone, or the key that opened it.`, hint: 'This form cannot be sent. What you typed stays until you press esc.'}}] : [];
}

/** Why a form cannot be sent now; undefined when it can. A key goes to the keychain alone, and connecting is a way out where the database is away. */
export function whyNotSend(form: Form, state: State): string | undefined {
	const {purpose} = form;
	const gone = whyColonyGone(form, state);
	if (gone !== undefined) {
		return gone;
	}

	return purpose === 'add-key' || purpose === 'connect' || purpose === 'connect-server' ? whyReadOnly(state) : whyNoChange(state);
}

/** Whom a form acts as, for its title line. */
export const actingText = (state: State): string => state.acting ? `${state.acting.kind} ${shortId(state.acting.id)}` : 'nobody';
