import {Box, Text} from 'ink';
import {visible} from '../../core/text.ts';
import type {Overlay} from '../state.ts';
import {danger, dim} from '../terminal/style.ts';
import {cut} from '../terminal/width.ts';
import {fewLines} from '../views/wrap.ts';
import {TextField} from './text-field.tsx';

type FormProps = {
	readonly form: Extract<Overlay, {kind: 'form'}>;
	readonly width: number;
	readonly height: number;
};

const labelWidth = 18;

/** A form: one line a field, the one with the cursor explained below. It holds nothing; the keys go through `update`. */
export function Form({form, width, height}: FormProps) {
	const focused = form.fields[form.focus]!;
	const wrong = focused.error ?? (form.error && [form.error.message, form.error.hint].filter(Boolean).join(' '));
	const said = fewLines(visible(wrong ?? `${focused.label}: ${focused.summary}`), width - 4, Math.max(1, height - 6));
	// On a low terminal the fields around the cursor are shown.
	const room = Math.max(1, height - 5 - said.length);
	const first = Math.max(0, Math.min(form.focus - Math.floor(room / 2), form.fields.length - room));
	const shown = form.fields.slice(first, first + room);
	return (
		<Box flexDirection='column' width={width} height={height} borderStyle='single' paddingX={1}>
			<Text bold wrap='truncate'>{form.title}</Text>
			<Text dimColor wrap='truncate'>{form.intro}</Text>
			{shown.map(field => (
				<Box key={field.name}>
					<Text bold={field === focused} wrap='truncate'>{`${field === focused ? '>' : ' '} ${cut(field.label, labelWidth - 4)}`.padEnd(labelWidth)}</Text>
					<TextField
						value={field.edit}
						width={Math.max(8, width - labelWidth - 5)}
						mask={field.kind === 'secret' ? '•' : undefined}
						focused={field === focused}
						placeholder={field.error ?? (field.optional ? 'optional' : '')}
					/>
				</Box>
			))}
			<Box flexGrow={1}/>
			{said.map((line, index) => <Text key={index} wrap='truncate'>{wrong ? danger(line) : dim(line)}</Text>)}
			<Text wrap='truncate'>{form.busy ? 'working …' : `enter ${form.focus === form.fields.length - 1 ? 'send' : 'next field'} · ctrl-s send · arrows move · esc leaves`}</Text>
		</Box>
	);
}
