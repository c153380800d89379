/** Streams of typed events that survive cuts. */
import type { Connection } from "./connection.js";
import { isWorthRetrying } from "./connection.js";
import { ConnectionFailed, ResponseInvalid, StatusError, StreamFailed } from "./errors.js";
import type { Arguments, Events, Operation, Prepared } from "./operation.js";
import { pause, waitMs, type CallOptions } from "./options.js";
import { FrameReader, type Frame } from "./sse.js";

/** What is replayed from its beginning is given up after this many cuts without anything new; what resumes never is. */
const FRUITLESS_CUTS = 8;

/** A named event of a stream. */
export interface ServerEvent<Name extends string, Data> {
  readonly event: Name;
  readonly id: string | undefined;
  readonly data: Data;
}

/**
 * Events as they come. A stream that is cut goes on by itself where it was: by Last-Event-ID, or where there are no ids
 * by asking again with the same Idempotency-Key and passing over what was read. It ends when the server says so, by
 * `stop()`, by leaving the loop, or by the call's signal; an answer that refuses it is thrown. It can be read once.
 */
export class EventStream<Event> implements AsyncIterable<Event> {
  /** The id of the last event that was read; where a program wants to go on later. */
  lastEventId: string | undefined;
  readonly #connection: Connection;
  readonly #operation: Operation;
  readonly #events: Events;
  readonly #options: CallOptions;
  readonly #prepared: Prepared;
  readonly #stopped = new AbortController();
  #first: Promise<Response> | undefined;
  #isRead = false;
  #passed = 0;
  #retryMs = 0;

  constructor(connection: Connection, operation: Operation, given: Arguments, options: CallOptions) {
    this.#connection = connection;
    this.#operation = operation;
    this.#events = operation.events!;
    this.#options = { ...options, signal: this.#stopped.signal };
    this.#prepared = connection.prepare(operation, given, options);
    this.lastEventId = this.#events.cursor && (this.#prepared.headers.get(this.#events.cursor) ?? undefined);
    const { signal } = options;
    if (signal?.aborted) this.#stopped.abort(signal.reason);
    signal?.addEventListener("abort", () => this.#stopped.abort(signal.reason), { once: true, signal: this.#stopped.signal });
  }

  /** Open the stream without reading it yet; what happens from then on is in it. */
  open(): Promise<Response> {
    this.#first ??= this.#send(this.#options);
    return this.#first;
  }

  /** End the stream; a loop over it ends without an error. */
  stop(): void {
    this.#stopped.abort(new DOMException("The stream was stopped.", "AbortError"));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, undefined> {
    if (this.#isRead) throw new TypeError("a stream can be read once; call the operation again");
    this.#isRead = true;
    try {
      yield* this.#readAll();
    } catch (error) {
      if (!this.#stopped.signal.aborted) throw error;
    } finally {
      this.stop();
    }
  }

  async *#readAll(): AsyncGenerator<Event, void, undefined> {
    let response = await this.open();
    for (let fruitless = 0; ; ) {
      let [count, isCut] = [0, false];
      try {
        for await (const frame of this.#frames(response)) {
          if (frame.data === undefined) continue;
          count += 1;
          if (this.#events.plain && frame.data === "[DONE]") return;
          const event = this.#eventOf(frame, count, response);
          if (event !== undefined) yield event;
        }
      } catch (error) {
        if (!(error instanceof Cut)) throw error;
        isCut = true;
      }
      this.#stopped.signal.throwIfAborted();
      const hasGained = count > (this.#isResumable ? 0 : this.#passed);
      const isReplayed = this.#prepared.idempotencyKey !== undefined;
      // An answer that breaks off may end cleanly: what can be replayed is whole when it says so itself.
      if (!isCut && !this.#isResumable && !isReplayed) return;
      fruitless = hasGained ? 0 : fruitless + 1;
      if (!this.#isResumable && (!isReplayed || fruitless > FRUITLESS_CUTS)) {
        throw new ConnectionFailed("the stream was cut", this.#operation.id, this.#prepared.idempotencyKey);
      }
      this.#passed = Math.max(this.#passed, count);
      response = await this.#reopen(fruitless);
    }
  }

  get #isResumable(): boolean {
    return this.#events.cursor !== undefined;
  }

  /** Return the event of a block; undefined for one that was read before the cut or that the contract does not name. */
  #eventOf(frame: Frame, count: number, response: Response): Event | undefined {
    if (!this.#isResumable && count <= this.#passed) return undefined;
    const { names } = this.#events;
    if (names.length > 0 && !names.includes(frame.event)) return undefined;
    const data = this.#parse(frame, response);
    if (!this.#events.plain) return { event: frame.event, id: frame.id, data } as Event;
    const { error } = (data ?? {}) as { error?: unknown };
    if (error !== undefined && error !== null) throw new StreamFailed(this.#operation.id, error);
    return data as Event;
  }

  #parse(frame: Frame, response: Response): unknown {
    try {
      return JSON.parse(frame.data ?? "");
    } catch (error) {
      throw new ResponseInvalid(`sent an event ${frame.event} of broken JSON`, this.#operation.id, response, { cause: error });
    }
  }

  async *#frames(response: Response): AsyncGenerator<Frame, void, undefined> {
    const reader = response.body!.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>).getReader();
    const frames = new FrameReader();
    try {
      for (let piece = await this.#read(reader); piece !== undefined; piece = await this.#read(reader)) {
        for (const frame of frames.feed(piece)) {
          if (frame.id !== undefined && frame.id !== "") this.lastEventId = frame.id;
          if (frame.retryMs !== undefined) this.#retryMs = frame.retryMs;
          yield frame;
        }
      }
    } finally {
      reader.cancel().catch(() => undefined); // it may have failed already, which is why we are here
    }
  }

  /** Return the next piece; undefined at the end. Throws Cut when the connection is lost or silent for too long. */
  async #read(reader: ReadableStreamDefaultReader<string>): Promise<string | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Cut()), this.#connection.streamSilenceMs);
    });
    try {
      return (await Promise.race([reader.read(), silence])).value;
    } catch {
      throw new Cut();
    } finally {
      clearTimeout(timer);
    }
  }

  /** Open again until it opens or is refused for good. */
  async #reopen(fruitless: number): Promise<Response> {
    let asked: number | undefined;
    for (let attempt = fruitless; ; attempt += 1) {
      const own = attempt > 0 || asked !== undefined ? waitMs(this.#connection.retry, Math.min(attempt, 16), asked) : 0;
      const { signal } = this.#stopped;
      await pause(Math.max(this.#retryMs, own ?? this.#connection.retry.patienceMs), signal);
      try {
        return await this.#send({ ...this.#options, maxRetries: 0 });
      } catch (error) {
        signal.throwIfAborted();
        if (!isWorthRetrying(this.#prepared, error, true) || (!this.#isResumable && attempt >= FRUITLESS_CUTS)) throw error;
        asked = error instanceof StatusError ? error.retryAfterSeconds : undefined;
      }
    }
  }

  async #send(options: CallOptions): Promise<Response> {
    const { cursor, start } = this.#events;
    if (cursor !== undefined && this.lastEventId !== undefined && this.#first !== undefined) {
      this.#prepared.headers.set(cursor, this.lastEventId);
      if (start !== undefined) this.#prepared.query.delete(start);
    }
    return (await this.#connection.send(this.#prepared, options, { isRaw: true })).response;
  }
}

class Cut extends Error {}
