import {screens} from '../screens/index.ts';
import type {ScreenName} from '../state.ts';
import type {Mode} from './binding.ts';

const headings: Readonly<Record<Exclude<Mode, ScreenName>, string>> = {
	anywhere: 'Anywhere', screen: 'On every screen', list: 'In every list', detail: 'In an open process', difference: 'In a comparison', explain: 'In an explanation', entry: 'In a change',
	verify: 'While the history is verified', plan: 'In a plan', columns: 'Among the columns', menu: 'In a menu', help: 'On the help page', 'command-line': 'Where a command line is shown', result: 'Where the result of an operation is shown',
};

/** Where the keys of a mode hold, as the help page and the documentation have it. */
export const headingOf = (mode: Mode): string => mode in headings ? headings[mode as keyof typeof headings] : `On ${screens[mode as ScreenName].title}`;
