import {randomUUID} from 'node:crypto';
import type {AttributeType, Id} from '../core/types.ts';
import {sha3} from './hash.ts';

/** The id of an uncompressed public key, given as 130 hex digits that begin with `04`: SHA3-256 over their ASCII text (domain.md). */
export const idOfPublicKey = (publicKey: string): Id => sha3(publicKey);

/** A new process id: SHA3-256 of the text of a random UUID (domain.md). */
export const newProcessId = (): Id => sha3(randomUUID());

/** SHA3-256 of targetid + key + decimal attribute type, so that one key stands once per type on a process (domain.md). */
export const attributeId = (targetid: Id, key: string, attributetype: AttributeType): Id => sha3(`${targetid}${key}${attributetype}`);

/** Whether a text has the form of an id: 64 lowercase hex digits. */
export const isId = (text: unknown): boolean => typeof text === 'string' && /^[\da-f]{64}$/.test(text);
