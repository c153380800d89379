/** The promise that a call returns. */

/** A success with all that came with it. */
export interface Answer<T> {
  readonly data: T;
  readonly response: Response;
  /** What the server's log calls the request. */
  readonly requestId: string | undefined;
  /** The validator of what was read, for `ifMatch` and `ifNoneMatch`. */
  readonly etag: string | undefined;
  readonly idempotencyKey: string | undefined;
  /** Whether this is the stored answer to an earlier request with the same key. */
  readonly isReplayed: boolean;
}

/** A promise of the typed answer; it is sent without being awaited, and can give the raw answer instead. */
export class Call<T> implements Promise<T> {
  readonly [Symbol.toStringTag] = "Call";
  readonly #answer: Promise<Answer<T>>;
  #isRaw = false;
  #isSent = false;

  constructor(send: (isRaw: boolean) => Promise<Answer<T>>) {
    this.#answer = Promise.resolve().then(() => {
      this.#isSent = true;
      return send(this.#isRaw);
    });
  }

  then<A = T, B = never>(
    done?: ((value: T) => A | PromiseLike<A>) | null,
    failed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#answer.then((answer) => answer.data).then(done, failed);
  }

  catch<B = never>(failed?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.then(undefined, failed);
  }

  finally(done?: (() => void) | null): Promise<T> {
    return this.#answer.then((answer) => answer.data).finally(done);
  }

  /** Give the typed answer together with status, headers and request id. */
  withResponse(): Promise<Answer<T>> {
    return this.#answer;
  }

  /** Give the success as it comes, its body unread; call this where the call is made, before anything is awaited. */
  asResponse(): Promise<Response> {
    if (this.#isSent) throw new TypeError("call asResponse() at once: the body is being read already");
    this.#isRaw = true;
    return this.#answer.then((answer) => answer.response);
  }
}
