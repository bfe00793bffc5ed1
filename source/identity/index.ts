export {sha3} from './hash.ts';
export {attributeId, isId, newProcessId} from './ids.ts';
export {checkPrivateKey, idOf, newPrivateKey, publicKeyOf, recover, sign} from './keys.ts';
export {createIdentity, Identity, prove} from './identity.ts';
