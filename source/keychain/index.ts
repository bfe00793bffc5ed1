export {type Certificate, fingerprintOf, ownCertificate, readCertificate} from './certificate.ts';
export {createIdentity, isId, prove} from '../identity/index.ts';
export type {Identity} from '../identity/index.ts';
export {fileError, systemCode} from './failures.ts';
export {folders, makePrivateFolder} from './folder.ts';
export type {Folders, Warn} from './folder.ts';
export {openKeychain} from './keychain.ts';
export type {KeyEntry, KeyLabel, Keychain} from './keychain.ts';
export {noteKey} from './note-key.ts';
export {noteName} from './note-name.ts';
export {
	currentPassphrase, newPassphrase, passphraseFrom, passphraseIn, passphraseMissing, type PassphraseVariables,
} from './passphrase.ts';
export {withNewKey} from './with-new-key.ts';
export {openSettings} from './settings.ts';
export type {SavedContext, SavedSettings, Settings} from './settings.ts';
