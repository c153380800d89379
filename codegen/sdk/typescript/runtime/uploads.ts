/** Files to send: from bytes, from a Blob or from a path, with progress. */

/** Hears how many bytes of a file were sent, of how many. A browser's fetch cannot tell: there it is called once, at the end. */
export type Progress = (sentBytes: number, sizeBytes: number) => void;

/** A file to send. data: bytes, a Blob, or outside of a browser the path of a file, read while it is sent. */
export interface FileSource {
  readonly data: Blob | ArrayBuffer | Uint8Array<ArrayBuffer> | { readonly path: string };
  readonly name?: string;
  readonly contentType?: string;
  readonly progress?: Progress;
}

export type Upload = Blob | ArrayBuffer | Uint8Array<ArrayBuffer> | FileSource;

/** A body as fetch takes it. whenSent: to be called when there is an answer. */
export interface Content {
  readonly body: BodyInit | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly whenSent?: () => void;
}

const UNKNOWN = "application/octet-stream";
const CHUNK_BYTES = 65_536;

/** A file of one request. */
export class FileToSend {
  readonly #data: Blob | LocalFile;
  readonly #progress: Progress | undefined;
  readonly name: string;
  readonly type: string;

  constructor(data: Blob | LocalFile, name: string, type: string, progress?: Progress) {
    this.#data = data;
    this.#progress = progress;
    this.name = name;
    this.type = type;
  }

  /** Whether it must be read piece by piece. */
  get isStreamed(): boolean {
    return !(this.#data instanceof Blob) || this.#progress !== undefined;
  }

  get size(): number {
    return this.#data.size;
  }

  /** Return it whole. */
  async blob(): Promise<Blob> {
    const parts: BlobPart[] = [];
    if (this.#data instanceof Blob) parts.push(this.#data);
    else for await (const chunk of this.#data.chunks()) parts.push(chunk);
    return new Blob(parts, { type: this.type });
  }

  /** Give its bytes, and tell how far they are: a chunk counts when the next one is asked for. */
  async *chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    const chunks = this.#data instanceof Blob ? slices(this.#data) : this.#data.chunks();
    let sent = 0;
    for await (const chunk of chunks) {
      yield chunk;
      sent += chunk.byteLength;
      this.#progress?.(sent, this.size);
    }
  }

  /** Tell that it was sent whole. */
  finish(): void {
    this.#progress?.(this.size, this.size);
  }
}

interface LocalFile {
  readonly size: number;
  chunks(): AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** Return the file that a value is; undefined when it is none. */
export async function fileOf(value: unknown): Promise<FileToSend | undefined> {
  if (value instanceof Blob) return new FileToSend(value, "name" in value ? String(value.name) : "file", value.type || UNKNOWN);
  if (value instanceof ArrayBuffer || value instanceof Uint8Array) {
    return new FileToSend(new Blob([value as BlobPart]), "file", UNKNOWN);
  }
  if (typeof value !== "object" || value === null || !("data" in value)) return undefined;
  const { data, name, contentType, progress } = value as FileSource;
  const type = contentType ?? ((data instanceof Blob && data.type) || UNKNOWN);
  if ("path" in data) return new FileToSend(await localFile(data.path), name ?? baseName(data.path), type, progress);
  return new FileToSend(data instanceof Blob ? data : new Blob([data]), name ?? "file", type, progress);
}

/** Return a body that is one file. */
export async function fileContent(file: FileToSend): Promise<Content> {
  if (isStreamed([file])) return streamed([file]);
  return { body: await file.blob(), headers: {}, whenSent: () => file.finish() };
}

/** Say whether files are sent by a stream: fetch takes one outside of browsers, whose uploads have no stream on HTTP/1.1. */
export function isStreamed(files: readonly FileToSend[]): boolean {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return process?.versions?.node !== undefined && files.some((file) => file.isStreamed);
}

/** Return a body of known length that is written while it is sent. */
export function streamed(pieces: readonly (string | FileToSend)[], contentType?: string): Content {
  const encoded = pieces.map((piece) => (typeof piece === "string" ? new TextEncoder().encode(piece) : piece));
  const length = encoded.reduce((sum, piece) => sum + (piece instanceof FileToSend ? piece.size : piece.byteLength), 0);
  const chunks = joined(encoded);
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return();
    },
  }, { highWaterMark: 0 });
  return { body, headers: { "content-length": String(length), ...(contentType && { "content-type": contentType }) } };
}

async function* joined(pieces: readonly (Uint8Array<ArrayBuffer> | FileToSend)[]): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  for (const piece of pieces) {
    if (piece instanceof FileToSend) yield* piece.chunks();
    else yield piece;
  }
}

async function* slices(blob: Blob): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  for (let start = 0; start < blob.size; start += CHUNK_BYTES) {
    yield new Uint8Array(await blob.slice(start, start + CHUNK_BYTES).arrayBuffer());
  }
}

function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1) || "file";
}

/** Open a file; the names are kept from bundlers, which would look for them in builds for browsers. */
async function localFile(path: string): Promise<LocalFile> {
  const modules = ["node:fs/promises", "node:fs"];
  const [promises, files] = (await Promise.all(modules.map((name) => import(/* @vite-ignore */ /* webpackIgnore: true */ name)))) as [
    { stat(path: string): Promise<{ size: number }> },
    { createReadStream(path: string): AsyncIterable<Uint8Array<ArrayBuffer>> },
  ];
  const { size } = await promises.stat(path);
  return { size, chunks: () => files.createReadStream(path) };
}
