export {sha3} from './hash.ts';
export {attributeId, isId, newProcessId} from './ids.ts';
export {checkPrivateKey, idOf, newPrivateKey, publicKeyOf, recover, sign} from './keys.ts';
export {createIdentity, Identity, prove} from './identity.ts';
export {contentDigest} from './content-digest.ts';
export {signHttp, type UnsignedRequest} from './http-signature.ts';
export {signatureAge, signatureAlgorithm} from './signature-input.ts';
export type {HttpRequest} from './signature-base.ts';
export {Signer, verifyHttp} from './verify-http.ts';
