/** Reads server-sent events (HTML Standard, 9.2.6). */

/** One block of a stream. data is undefined where the block only sets the id or the reconnection time. */
export interface Frame {
  readonly event: string;
  readonly data: string | undefined;
  /** The last event id as of this block. */
  readonly id: string | undefined;
  readonly retryMs: number | undefined;
}

/** Splits text that comes in pieces into lines and blocks; a block that was not ended is never given. */
export class FrameReader {
  #rest = "";
  #event = "";
  #data: string[] = [];
  #id: string | undefined;
  #retryMs: number | undefined;
  #isUsed = false;

  /** Take the next piece of text and give the blocks that it ends. */
  *feed(piece: string): Generator<Frame, void, undefined> {
    const text = this.#rest + piece;
    const ending = /\r\n|\n|\r/g;
    let start = 0;
    for (let found = ending.exec(text); found !== null; found = ending.exec(text)) {
      if (found[0] === "\r" && ending.lastIndex === text.length) break; // its LF may be in the next piece
      const frame = this.#line(text.slice(start, found.index));
      start = ending.lastIndex;
      if (frame !== undefined) yield frame;
    }
    this.#rest = text.slice(start);
  }

  #line(line: string): Frame | undefined {
    if (line === "") return this.#end();
    const colon = line.indexOf(":");
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "retry" && /^\d+$/.test(value)) this.#retryMs = Number(value);
    else return undefined;
    this.#isUsed = true;
    return undefined;
  }

  #end(): Frame | undefined {
    if (!this.#isUsed) return undefined;
    const data = this.#data.length > 0 ? this.#data.join("\n") : undefined;
    const frame = { event: this.#event || "message", data, id: this.#id, retryMs: this.#retryMs };
    this.#event = "";
    this.#data = [];
    this.#retryMs = undefined;
    this.#isUsed = false;
    return frame;
  }
}
