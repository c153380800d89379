/** Forms: urlencoded ones, and multipart ones with files. */
import { FileToSend, fileOf, isStreamed, streamed, type Content } from "./uploads.js";

/** Return a form as text. */
export function urlencoded(body: object): string {
  const form = new URLSearchParams();
  for (const [name, value] of rows(body)) form.append(name, text(value));
  return form.toString();
}

/** Return a multipart form; members that are objects travel as JSON. */
export async function multipart(body: object): Promise<Content> {
  const members: [string, string | FileToSend][] = [];
  for (const [name, value] of rows(body)) members.push([name, (await fileOf(value)) ?? partOf(value)]);
  const files = members.map(([, member]) => member).filter((member) => typeof member !== "string");
  if (isStreamed(files)) return multipartStream(members);
  const form = new FormData();
  for (const [name, member] of members) {
    if (typeof member === "string") form.append(name, member);
    else form.append(name, await member.blob(), member.name);
  }
  return { body: form, headers: {}, whenSent: () => files.forEach((file) => file.finish()) };
}

function partOf(value: unknown): string | FileToSend {
  if (typeof value !== "object" || value === null) return text(value);
  return new FileToSend(new Blob([JSON.stringify(value)], { type: "application/json" }), "blob", "application/json");
}

/** Write a form by hand (RFC 7578): a FormData tells neither its length nor how far it is. */
function multipartStream(members: readonly [string, string | FileToSend][]): Content {
  const boundary = `----${crypto.getRandomValues(new Uint32Array(4)).join("")}`;
  const pieces = members.flatMap(([name, member]) => {
    const told = `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name)}"`;
    if (typeof member === "string") return [`${told}\r\n\r\n${member}\r\n`];
    return [`${told}; filename="${escaped(member.name)}"\r\nContent-Type: ${member.type}\r\n\r\n`, member, "\r\n"];
  });
  return streamed([...pieces, `--${boundary}--\r\n`], `multipart/form-data; boundary=${boundary}`);
}

function escaped(name: string): string {
  return name.replace(/["\r\n]/g, (found) => encodeURIComponent(found));
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
