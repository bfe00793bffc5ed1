import {Text} from 'ink';
import {dim} from '../terminal/style.ts';
import {type EditState, type FieldOptions, drawField} from '../terminal/text-edit.ts';
import {fit} from '../terminal/width.ts';

export type TextFieldProps = FieldOptions & {
	readonly value: EditState;
	/** Shown dimly in an empty field that has no cursor. */
	readonly placeholder?: string;
};

/** One line of text being entered. It holds nothing: the keys go through `editText`, the state comes back as `value`. */
export function TextField({
	value, width, mask, focused = true, placeholder = '',
}: TextFieldProps) {
	const drawn = value.text === '' && !focused ? dim(fit(placeholder, width)) : drawField(value, {width, mask, focused});
	return <Text wrap='truncate'>{drawn}</Text>;
}
