/** Forms: urlencoded ones, and multipart ones with files from bytes, from a Blob or from a path. */

/** A file to send. data: bytes, a Blob, or outside of a browser the path of a file, read when it is sent. */
export interface FileSource {
  readonly data: Blob | ArrayBuffer | Uint8Array<ArrayBuffer> | { readonly path: string };
  readonly name?: string;
  readonly contentType?: string;
}

export type Upload = Blob | ArrayBuffer | Uint8Array<ArrayBuffer> | FileSource;

/** Return a form as text. */
export function urlencoded(body: object): string {
  const form = new URLSearchParams();
  for (const [name, value] of rows(body)) form.append(name, text(value));
  return form.toString();
}

/** Return a multipart form; members that are objects travel as JSON. */
export async function multipart(body: object): Promise<FormData> {
  const form = new FormData();
  for (const [name, value] of rows(body)) {
    const file = await fileOf(value);
    if (file !== undefined) form.append(name, file.blob, file.name);
    else if (typeof value === "object") form.append(name, new Blob([JSON.stringify(value)], { type: "application/json" }));
    else form.append(name, text(value));
  }
  return form;
}

function rows(body: object): [string, unknown][] {
  return Object.entries(body).flatMap(([name, value]): [string, unknown][] => {
    if (value === undefined) return [];
    return Array.isArray(value) ? value.map((item): [string, unknown] => [name, item]) : [[name, value]];
  });
}

function text(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

async function fileOf(value: unknown): Promise<{ blob: Blob; name: string } | undefined> {
  if (value instanceof Blob) return { blob: value, name: "name" in value ? String(value.name) : "file" };
  if (value instanceof ArrayBuffer || value instanceof Uint8Array) {
    return { blob: new Blob([value as BlobPart]), name: "file" };
  }
  if (typeof value !== "object" || value === null || !("data" in value)) return undefined;
  const { data, name, contentType } = value as FileSource;
  const type = contentType ?? (data instanceof Blob ? data.type : "application/octet-stream");
  if ("path" in data) return { blob: new Blob([await readFile(data.path)], { type }), name: name ?? baseName(data.path) };
  return { blob: new Blob([data], { type }), name: name ?? "file" };
}

function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1) || "file";
}

/** Read a file; the name is kept from bundlers, which would look for it in builds for browsers. */
async function readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const module = "node:fs/promises";
  const files = (await import(/* @vite-ignore */ /* webpackIgnore: true */ module)) as {
    readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
  };
  return files.readFile(path);
}
