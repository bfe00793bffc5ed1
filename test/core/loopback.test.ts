import assert from 'node:assert/strict';
import {test} from 'node:test';
import {isLoopback} from '../../source/core/loopback.ts';

test('this machine is known by its addresses and its name', () => {
	for (const address of ['127.0.0.1', '127.1.20.255', '::1', 'localhost', 'LocalHost']) {
		assert.equal(isLoopback(address), true, address);
	}

	for (const address of ['', '127.0.0', '127.0.0.1.example', 'a127.0.0.1', '127.0.0.1234', '128.0.0.1', '127.0.0.x', '::12', 'a::1', 'localhost.example', 'notlocalhost', '0.0.0.0', '::']) {
		assert.equal(isLoopback(address), false, address);
	}
});
