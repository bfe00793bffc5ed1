import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
	placesOf, placeText, readDatabaseAddress, readDatabaseHosts, splitHosts,
} from '../../source/core/database-hosts.ts';

test('several hosts have commas between them, and each may have a port', () => {
	for (const [text, usual, places] of [
		['db', 'db', ['db:5432']],
		['::1', '::1', ['[::1]:5432']],
		['/run/postgresql', '/run/postgresql', ['/run/postgresql, port 5432']],
		['db1,db2', 'db1,db2', ['db1:5432', 'db2:5432']],
		[' db1:6000 , [::1]:6001,::1', 'db1:6000,[::1]:6001,::1', ['db1:6000', '[::1]:6001', '[::1]:5432']],
		['/run/a,/run/b:6000', '/run/a,/run/b:6000', ['/run/a, port 5432', '/run/b, port 6000']],
	] as const) {
		assert.deepEqual(readDatabaseHosts(text), {host: usual});
		assert.deepEqual(placesOf(usual, 5432).map(place => placeText(place)), places);
	}
});

test('a host that is wrong among several is named', () => {
	for (const [text, problem] of [
		['db1,', /name or an IP address, not ""/],
		['db1,b b', /one host, not "b b"/],
		['db1,db2:0', /port from 1 to 65535, not "0"/],
		['db1,db2:65536', /port from 1 to 65535, not "65536"/],
		['db1,user@db2', /without a user/],
		['db1:6000', /without a port/],
	] as const) {
		assert.match((readDatabaseHosts(text) as {problem: string}).problem, problem, text);
	}

	assert.deepEqual(readDatabaseAddress('db1:6000'), {host: 'db1:6000'});
	assert.match((readDatabaseAddress('db1:x') as {problem: string}).problem, /name or an IP address/);
});

test('a connection string of several hosts is one of the first alone, with the others beside it', () => {
	for (const [text, url, hosts, target] of [
		['postgresql://u:p@db:6000/name', 'postgresql://u:p@db:6000/name', undefined, undefined],
		['postgresql://u:p%40@db1:6000,db2/name?sslmode=require', 'postgresql://u:p%40@db1:6000/name?sslmode=require', 'db1:6000,db2', undefined],
		['postgresql://db1,db2', 'postgresql://db1', 'db1,db2', undefined],
		['postgresql:///name?host=/run/a,/run/b&port=6000,6001', 'postgresql:///name', '/run/a:6000,/run/b:6001', undefined],
		['postgresql:///name?host=db1,db2&port=6000&target_session_attrs=prefer-standby', 'postgresql:///name', 'db1:6000,db2:6000', 'prefer-standby'],
		['postgresql://db/name?target_session_attrs=primary', 'postgresql://db/name', undefined, 'read-write'],
	] as const) {
		assert.deepEqual(splitHosts(text), {url, hosts, target}, text);
	}

	assert.throws(() => splitHosts('postgresql://db?target_session_attrs=fastest'), {message: 'The connection string has target_session_attrs="fastest".', hint: /prefer-standby/});
	assert.throws(() => splitHosts('postgresql://db1,db2:99999/x'), {message: 'A host of the connection string must have a port from 1 to 65535, not "99999".'});
});
