import {shortId, visible} from '../../core/text.ts';
import {formatAge, formatSpan} from '../../core/time.ts';
import {type Fate, type Reported, tallyOf, tallyText} from '../../operations/apply-plan.ts';
import {type Plan, plannable, reasonsOf, sampleOf, titleOf} from '../../operations/plan.ts';
import {layoutOf} from '../layout.ts';
import {planForecastText} from '../overlays/forecast.ts';
import {type PlanOverlay, type State, storeNow} from '../state.ts';
import {bold, danger, dim, success, warning} from '../terminal/style.ts';
import {drawField} from '../terminal/text-edit.ts';
import {fit, fitAnsi} from '../terminal/width.ts';
import {box} from './box.ts';
import {type Row, rowsOf} from './rows.ts';
import {widthOfStyled} from './spread.ts';
import {fewLines, wordPieces, wrapWords} from './wrap.ts';

/** Rows of the sample that are shown. */
const sampled = 8;

const signs: Record<Fate, {text: string; style: (text: string) => string}> = {
	done: {text: '✓ done', style: success},
	changed: {text: '- changed', style: warning},
	gone: {text: '- gone', style: warning},
	refused: {text: '✗ refused', style: danger},
	unknown: {text: '? not known', style: danger},
	'not-tried': {text: '· not tried', style: dim},
};

const sampleLines = (plan: Plan, state: State): string[] => {
	const {entries} = plan;
	const now = storeNow(state);
	const sample = sampleOf(plan, sampled);
	return [
		...sample.map(({id, label, state: was, since}) => `   ${shortId(id)}  ${fit(`${was}${since === undefined ? '' : ` ${formatAge(since, now)}`}`, 18)} ${visible(label === '' ? 'any' : label)}`),
		...(entries.length > sample.length ? [dim(`   and ${entries.length - sample.length} more`)] : []),
	];
};

const leftLines = (plan: Plan): string[] => plan.leftOut.length === 0
	? []
	: [` Left out, and left as ${plan.leftOut.length === 1 ? 'it is' : 'they are'}: ${bold(String(plan.leftOut.length))}`, ...reasonsOf(plan).map(({count, reason}) => `   ${fit(String(count), 5, 'right')}  ${visible(reason)}`)];

const rateText = ({rate, reported, plan}: PlanOverlay): string => ` Rate: ${bold(String(rate))} a second, ${formatSpan(((plan?.entries.length ?? 0) - reported.length) / rate * 1000)} in all${dim('   ← slower  → faster')}`;

/** What a plan would do, before it is carried out. */
function readyLines(overlay: PlanOverlay, state: State): string[] {
	const plan = overlay.plan!;
	const forecast = planForecastText(state, overlay);
	return [
		...(forecast === undefined ? [] : [` ${bold(forecast)}`, '']),
		...leftLines(plan),
		...(plan.more ? [warning(' There are more than a plan takes; they were not looked at.')] : []),
		...(plan.leftOut.length > 0 || plan.more ? [''] : []),
		...(plan.entries.length === 0 ? [] : [rateText(overlay), dim(' Whatever changes before its turn is left alone, and told of.'), '']),
		...sampleLines(plan, state),
	];
}

/** What came of each so far: first what was not done, for that is what somebody looks for. */
function reportLines({reported, plan}: PlanOverlay, width: number): string[] {
	const line = ({id, label, fate, reason}: Reported): string => {
		const {text, style} = signs[fate];
		return ` ${style(fit(text, 12))} ${shortId(id)}  ${visible([label, reason].filter(Boolean).join('  '))}`;
	};

	const others = reported.filter(({fate}) => fate !== 'done');
	return [...[...others, ...reported.filter(({fate}) => fate === 'done')].map(each => fitAnsi(line(each), width)), ...(plan!.leftOut.length > 0 ? ['', ...leftLines(plan!)] : [])];
}

const cells = 24;

/** How far it is, and how it goes. */
function progressLine({reported, plan, stage, isStopping}: PlanOverlay): string {
	const total = plan!.entries.length;
	const filled = Math.floor(reported.length / total * cells);
	const how = stage === 'ended' ? bold('Ended') : (isStopping ? warning('Stopping …') : 'Under way');
	return ` ${how} ▕${'█'.repeat(filled)}${'·'.repeat(cells - filled)}▏ ${reported.length} of ${total}   ${tallyText(tallyOf(reported))}`;
}

/** The lines that stay in sight above and below what is scrolled. */
function framing(overlay: PlanOverlay, state: State): {above: string[]; below: string[]} {
	const {stage, plan, marked, place, as, error, waits} = overlay;
	const room = state.columns - 4;
	const where = wrapWords(visible(`${place}, as ${as.kind} ${shortId(as.id)}`), room).map(line => dim(` ${line}`));
	if (error) {
		return {above: [...where, '', ...fewLines(visible([error.message, error.hint].filter(Boolean).join(' ')), room, 4).map(line => danger(` ${line}`))], below: []};
	}

	if (stage === 'making' || !plan) {
		return {above: [...where, '', ` Looking at ${marked} as they are now …`], below: []};
	}

	if (stage !== 'ready') {
		return {above: [...where, progressLine(overlay), ...(waits ? fewLines(visible(`Waits: ${waits} It goes on by itself.`), room, 2).map(line => warning(` ${line}`)) : (stage === 'running' ? [rateText(overlay)] : [])), ''], below: []};
	}

	const {verb} = plannable[plan.name];
	const count = plan.entries.length;
	if (count === 0) {
		return {above: [...where, '', bold(` Nothing to ${verb}.`), ''], below: []};
	}

	const question = ` Type ${bold(String(count))} and enter to ${verb} ${count === 1 ? 'it' : 'them'}, esc cancels: `;
	return {above: [...where, ''], below: ['', bold(warning(question)) + drawField(overlay.edit, {width: Math.max(2, Math.min(12, state.columns - 2 - widthOfStyled(question)))})]};
}

/** The lines of a plan that are scrolled. */
export const planLines = (overlay: PlanOverlay, state: State): Row[] => {
	const {stage, plan, error} = overlay;
	if (!plan || error) {
		return [];
	}

	return stage === 'ready' ? readyLines(overlay, state).flatMap(line => widthOfStyled(line) <= state.columns - 2 ? [line] : rowsOf(wordPieces(line, state.columns - 4))) : reportLines(overlay, state.columns - 2);
};

/** Lines of a plan that are seen at once. */
export const planRoom = (overlay: PlanOverlay, state: State): number => {
	const {above, below} = framing(overlay, state);
	return Math.max(1, layoutOf(state).body - 2 - above.length - below.length);
};

/** A plan over the body: what it is, and what it would do or has done. */
export function planPage(overlay: PlanOverlay, state: State, all: readonly string[]): string[] {
	const {body: height} = layoutOf(state);
	const {above, below} = framing(overlay, state);
	const room = planRoom(overlay, state);
	const first = Math.min(overlay.scroll, Math.max(0, all.length - room));
	const more = all.length - first - room;
	const title = overlay.plan ? titleOf(overlay.plan) : `${plannable[overlay.name].verb} ${overlay.marked} marked`;
	const shown = all.slice(first, first + room);
	const padding = below.length > 0 && shown.length < room ? [] : Array.from<string>({length: Math.max(0, room - shown.length)}).fill('');
	return box(`Plan: ${title}${more > 0 ? `, ${more} more below` : ''} `, [...above, ...shown, ...padding, ...below], {width: state.columns, height});
}
