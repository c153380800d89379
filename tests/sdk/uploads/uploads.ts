/** Sends files from each source in both ways, with progress, and once through a way that loses the first answer. */
import { Client, type Upload } from "uploads-client";
import { answer, check, told } from "./outside.js";

const path = told("FILE");
const size = Number(told("SIZE"));
const digest = told("DIGEST");
const client = new Client({ baseUrl: told("URL") });
const losing = new Client({ baseUrl: told("LOSING_URL"), retry: { firstMs: 1, longestMs: 2 } });

const source = await client.files.uploadBlob("path", { data: { path } });
check(source.digests[0] === digest && source.sizes[0] === size, "a path is sent whole");
const bytes = new TextEncoder().encode("abc");
for (const body of [bytes, bytes.buffer, new Blob([bytes]), { data: bytes, contentType: "image/png" }] satisfies Upload[]) {
  check((await client.files.uploadBlob("bytes", body)).sizes[0] === 3, "so are bytes and blobs");
}

const steps: [number, number][] = [];
const progress = (sent: number, of: number): number => steps.push([sent, of]);
const form = await client.files.uploadPicture("form", {
  file: { data: { path }, contentType: "image/png", progress },
  more: [bytes, { data: bytes, name: 'odd "name".txt' }],
  title: "Größe",
  rating: 3,
  focus: { x: 0.5 },
});
check(form.digests[0] === digest && form.sizes.join() === `${size},3,3`, `each file is whole: ${form.sizes.join()}`);
check(steps.length > 10 && steps.every(([sent, of], n) => of === size && sent > (steps[n - 1]?.[0] ?? 0)), "progress grows");
check(steps.at(-1)?.[0] === size, "up to the end");

steps.length = 0;
const again = await losing.files.uploadBlob("again", { data: { path }, progress });
check(again.digests[0] === digest, "a second try begins at the first byte");
check(steps.filter(([sent]) => sent === size).length === 2, "and tells so");
const plain = await losing.files.uploadPicture("plain", { file: bytes });
answer({ members: form.members, plain: plain.members });
