import type {Effect, State} from '../state.ts';
import type {Session} from './session.ts';

/** Carries out one kind of effect; `state` is the one that came with it. What comes of it goes back as a message; it never throws. */
export type Handler<Type extends Effect['type']> = (session: Session, effect: Extract<Effect, {type: Type}>, state: State) => void | Promise<void>;
