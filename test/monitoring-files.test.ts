// What `examples/deploy` and `docs/monitoring.md` say about monitoring, read by the real Prometheus.
import assert from 'node:assert/strict';
import {
	cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {after, test} from 'node:test';
import {openAny, openColony, root} from './support/colony.ts';
import {examples} from './support/commands.ts';
import {noPrometheus, promtool, startPrometheus} from './support/prometheus.ts';
import {serve, testCertificate} from './support/server.ts';

const deploy = path.join(examples, 'deploy');
const read = (name: string): string => readFileSync(path.join(deploy, name), 'utf8');
const guide = readFileSync(fileURLToPath(new URL('../docs/monitoring.md', import.meta.url)), 'utf8');

type Dashboard = {panels: Array<{id: number; title: string; gridPos: {x: number; y: number}; targets: Array<{expr: string}>}>};
const dashboard = JSON.parse(read('grafana.json')) as Dashboard;

/** The expressions of the dashboard, as Grafana sends them. */
const expressions = dashboard.panels.flatMap(({targets}) => targets.map(({expr}) => expr.replaceAll('$__rate_interval', '1m').replaceAll('$colony', '.*')));

/** The metrics of ours that a text names, without what belongs to a histogram. */
const metricsIn = (text: string): Set<string> => new Set([...text.matchAll(/\bcolonies_[a-z_]+/g)].map(([name]) => name.replace(/_(?:bucket|count|sum)$/, '')));

/** The names of the metrics of a server. */
const namesOf = (text: string): string[] => [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name!);

const database = await openAny();
const served = await serve(database, {secure: true, local: true});
const {broker} = served.context;
const colony = await openColony(database, broker);
const {token} = await broker.run(root, 'token.create', {name: 'prometheus'});
const computer = await colony.computer();
await colony.close(computer, await colony.running(computer));

const scraped = await served.send({method: 'GET', target: '/metrics', headers: {authorization: `Bearer ${token}`}});
const ours = namesOf(scraped.text).filter(name => name.startsWith('colonies_'));

/** A folder like that of an operator: the files of examples/deploy, a token, and the certificate of the server. */
async function installed(): Promise<string> {
	const folder = mkdtempSync(path.join(tmpdir(), 'colonies-monitoring-'));
	after(() => {
		rmSync(folder, {recursive: true});
	});
	cpSync(deploy, folder, {recursive: true});
	writeFileSync(path.join(folder, 'colonies.token'), `${token}\n`, {mode: 0o600});
	writeFileSync(path.join(folder, 'colonies.crt'), (await testCertificate()).cert);
	const config = path.join(folder, 'prometheus.yml');
	writeFileSync(config, readFileSync(config, 'utf8').replace('127.0.0.1:8080', `127.0.0.1:${served.port}`).replace(/scrape_interval: 15s/, 'scrape_interval: 1s'));
	return folder;
}

test('promtool accepts the configuration and the rules, and each alert fires when it should', {skip: noPrometheus}, async () => {
	const folder = await installed();
	for (const words of [['check', 'config', path.join(folder, 'prometheus.yml')], ['check', 'rules', path.join(folder, 'alerts.yml')], ['test', 'rules', path.join(folder, 'alerts.test.yml')]]) {
		const {status, said} = promtool(words);
		assert.equal(status, 0, said);
		assert.match(said, /SUCCESS/);
	}

	const tested = new Set([...read('alerts.test.yml').matchAll(/alertname: (\w+)\n/g)].map(([, name]) => name));
	const alerts = [...read('alerts.yml').matchAll(/alert: (\w+)/g)].map(([, name]) => name!);
	assert.deepEqual([...tested].sort(), alerts.sort());
});

test('a real Prometheus scrapes a server with the token, and understands every expression of the dashboard', {skip: noPrometheus, timeout: 120_000}, async () => {
	const {ask} = await startPrometheus(path.join(await installed(), 'prometheus.yml'));
	type Target = {health: string; lastError: string; lastScrape: string};
	let targets: Target[] = [];
	for (const until = performance.now() + 60_000; targets[0]?.health !== 'up';) {
		await pause(100);
		({activeTargets: targets} = await ask('/api/v1/targets'));
		assert.ok(performance.now() < until, JSON.stringify(targets));
	}

	const query = async (text: string): Promise<Array<{metric: Record<string, string>; value: [number, string]}>> => {
		const {result} = await ask(`/api/v1/query?query=${encodeURIComponent(text)}`);
		return result as Array<{metric: Record<string, string>; value: [number, string]}>;
	};

	let assigned: Awaited<ReturnType<typeof query>> = [];
	for (const until = performance.now() + 30_000; assigned.length === 0;) {
		await pause(100);
		assigned = await query('colonies_processes_assigned_total');
		assert.ok(performance.now() < until, 'Nothing was stored.');
	}

	assert.deepEqual(assigned.map(({metric: {colony, job}, value: [, value]}) => [colony, job, value]), [[colony.id, 'colonies', '1']]);
	for (const expression of expressions) {
		await query(expression);
	}

	const {groups} = await ask('/api/v1/rules');
	assert.deepEqual(groups.flatMap(({rules}: {rules: Array<{lastError?: string}>}) => rules.flatMap(({lastError}) => lastError ?? [])), []);
});

test('the rules, the dashboard and the guide name metrics that there are, and the guide names all', () => {
	for (const [place, text] of [['alerts.yml', read('alerts.yml')], ['alerts.test.yml', read('alerts.test.yml')], ['grafana.json', expressions.join('\n')], ['monitoring.md', guide]] as const) {
		const unknown = [...metricsIn(text)].filter(name => !ours.includes(name) && !name.startsWith('colonies_metrics'));
		assert.deepEqual(unknown, [], place);
	}

	assert.deepEqual(ours.filter(name => !guide.includes(`\`${name}\``)), []);
	assert.deepEqual([...read('alerts.yml').matchAll(/alert: (\w+)/g)].filter(([, name]) => !guide.includes(`### ${name!}`)), []);
});

test('the dashboard has panels side by side, each with a title and an expression', () => {
	assert.ok(dashboard.panels.length >= 12, `${dashboard.panels.length} panels`);
	assert.equal(new Set(dashboard.panels.map(({id}) => id)).size, dashboard.panels.length);
	assert.equal(new Set(dashboard.panels.map(({gridPos: {x, y}}) => `${x} ${y}`)).size, dashboard.panels.length);
	assert.ok(dashboard.panels.every(({title, targets}) => title !== '' && targets.length > 0));
});
