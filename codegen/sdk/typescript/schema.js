// Writes the types of a bundled contract: node schema.js CONTRACT.json TYPES.ts
import { readFile, writeFile } from "node:fs/promises";
import openapi, { astToString } from "openapi-typescript";
import ts from "typescript";

const UPLOAD = ts.factory.createTypeReferenceNode("Upload");
const NULL = ts.factory.createLiteralTypeNode(ts.factory.createNull());
// Any text, in a form that keeps an editor's list of the known ones.
const ANY_TEXT = ts.factory.createIntersectionTypeNode([
  ts.factory.createKeywordTypeNode(ts.SyntaxKind.StringKeyword),
  ts.factory.createTypeLiteralNode([]),
]);

// Members of these have names that the contract chose, which may be like a keyword's or an extension's.
const NAMED = new Set(["properties", "patternProperties", "headers", "schemas", "parameters", "responses"]);
// No type depends on these, and in some contracts they refer to files that are no part of the bundle.
const UNTYPED = new Set(["description", "example", "examples", "tags"]);

/**
 * Prepare a node of the contract: a freeform object has members of any name, which JSON Schema says otherwise; what no
 * type depends on is left out, extensions that are more than a word among it.
 */
function prepared(node, key) {
  if (Array.isArray(node)) return node.map((item) => prepared(item));
  if (typeof node !== "object" || node === null) return node;
  const isUntyped = ([name, value]) => typeof value === "object" && (UNTYPED.has(name) || name.startsWith("x-"));
  const kept = Object.entries(node).filter((row) => NAMED.has(key) || !isUntyped(row));
  const copy = Object.fromEntries(kept.map(([name, value]) => [name, prepared(value, name)]));
  if (typeof node["x-freeform"] === "string" && !("additionalProperties" in node)) copy.additionalProperties = true;
  if (typeof node.in === "string" && copy.content) copy.schema = Object.values(copy.content)[0].schema; // else it would be a text
  return copy;
}

function isFile(schema) {
  if (schema.format === "binary") return true;
  return schema.contentMediaType !== undefined && !schema.contentEncoding && !schema.contentSchema && !schema.anyOf;
}

function transform(schema) {
  if (schema.type === "string" && isFile(schema)) return UPLOAD;
  if (schema["x-open-enum"] !== true || !Array.isArray(schema.enum)) return undefined;
  const known = schema.enum.filter((value) => typeof value === "string");
  const literals = known.map((value) => ts.factory.createLiteralTypeNode(ts.factory.createStringLiteral(value)));
  return ts.factory.createUnionTypeNode([...literals, ANY_TEXT, ...(schema.enum.includes(null) ? [NULL] : [])]);
}

/**
 * Cut a component's references to itself that stand in no member: TypeScript resolves `Json[]` inside the member `Json` of an
 * interface at once, and finds a circle. What is deeper is of unknown type then.
 */
function uncircled(node, self) {
  if (Array.isArray(node)) return node.map((item) => uncircled(item, self));
  if (typeof node !== "object" || node === null) return node;
  if (node.$ref === self) return {};
  return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, name === "properties" ? value : uncircled(value, self)]));
}

const [contract, output] = process.argv.slice(2);
const document = prepared(JSON.parse(await readFile(contract, "utf8")));
const schemas = document.components?.schemas ?? {};
for (const [name, schema] of Object.entries(schemas)) {
  schemas[name] = uncircled(schema, `#/components/schemas/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`);
}
const types = await openapi(document, {
  defaultNonNullable: false,
  silent: true,
  transform,
  inject: 'import type { Upload } from "./runtime/uploads.js";',
});
await writeFile(output, astToString(types));
