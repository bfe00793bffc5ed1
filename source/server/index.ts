export {createHandler, type Handler, type HandlerOptions} from './handler.ts';
export {listen, type Listening, type ListenOptions} from './listen.ts';
export {describeRoutes} from './documentation.ts';
