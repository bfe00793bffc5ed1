import {
	createContext, useContext, useId, useInsertionEffect,
} from 'react';
import {Box, Text} from 'ink';
import type {Screen} from '../terminal/screen.ts';

/** The screen that paints; undefined in component tests and in snapshots, which have none. */
export const ScreenContext = createContext<Pick<Screen, 'paint' | 'unpaint'> | undefined>(undefined);

export type PaintedProps = {
	/** Row and column of the frame where it stands, from 0. They must agree with its place in the layout. */
	readonly top: number;
	readonly left: number;
	readonly width: number;
	/** One string a row, fitted to the width; they may carry SGR. */
	readonly lines: readonly string[];
	/** What stands over what; 0 unless given. */
	readonly layer?: number;
	/** Whether Ink's layout keeps room for it; true unless given. Where all of the frame is painted Ink need not compose blank rows, which costs more than painting. */
	readonly reserve?: boolean;
};

/**
Rows as strings, painted past Ink: Ink lays out an empty box of their size, and the screen draws them there. Without a screen they are Ink's own text.
*/
export function Painted({
	top, left, width, lines, layer, reserve = true,
}: PaintedProps) {
	const screen = useContext(ScreenContext);
	const key = useId();

	// Insertion effects run before Ink hands over the frame of the same commit, so that both reach the terminal together.
	useInsertionEffect(() => {
		screen?.paint(key, {
			top, left, width, lines, layer,
		});
	}, [screen, key, top, left, width, lines, layer]);

	useInsertionEffect(() => () => {
		screen?.unpaint(key);
	}, [screen, key]);

	if (screen) {
		return reserve ? <Box flexShrink={0} width={width} height={lines.length}/> : undefined;
	}

	return (
		<Box flexDirection='column' flexShrink={0} width={width} height={lines.length}>
			{lines.map((line, index) => (
				<Text key={index} wrap='truncate'>{line === '' ? ' ' : line}</Text>
			))}
		</Box>
	);
}
