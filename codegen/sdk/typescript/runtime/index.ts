/** What a program may use of the run time. */
export { Call, type Answer } from "./call.js";
export { Connection } from "./connection.js";
export { CookieJar } from "./cookies.js";
export {
  APIError, BadRequest, Conflict, ConnectionFailed, Forbidden, Gone, Invalid, Locked, MethodNotAllowed, NotFound, NotModified,
  NotOffered, PayloadTooLarge, PreconditionFailed, RateLimited, RequestTimeout, ResponseInvalid, ServerError, StatusError,
  StreamFailed, TimedOut, Unauthorized, Unavailable, UnsupportedMediaType, type Violation,
} from "./errors.js";
export type { FileSource, Progress, Upload } from "./uploads.js";
export type { CallOptions, ClientOptions, Credential, Idempotent, IfMatch, IfNoneMatch, RequestOptions, Retry } from "./options.js";
export { Token, type TokenOptions } from "./renewal.js";
export { Pager, type Page } from "./pager.js";
export { EventStream, type ServerEvent } from "./stream.js";
