import { createHash } from 'node:crypto';
import { setImmediate as yieldToOthers } from 'node:timers/promises';

/*
 * The form of a file: a header line with format, version and the SHA-256 of all that follows; a line about the whole;
 * then one line per entry, all of them JSON. One changed or missing byte shows.
 */

const VERSION = 1;
/** Entries handled at a time, few milliseconds' worth. */
const CHUNK = 2000;

/** What a file says, or why it cannot be used. */
export type CheckedContent =
  | { readonly usable: true; readonly about: unknown; readonly entries: readonly unknown[] }
  | { readonly usable: false; readonly why: string };

/** The text of a file. Lets others run between chunks when the entries are many. */
export async function writeChecked(
  format: string,
  about: object,
  entries: Iterable<string>,
): Promise<string> {
  const hash = createHash('sha256');
  const parts: string[] = [];
  const add = (part: string): void => {
    hash.update(part);
    parts.push(part);
  };
  add(`${JSON.stringify(about)}\n`);
  let chunk: string[] = [];
  for (const entry of entries) {
    chunk.push(entry, '\n');
    if (chunk.length < 2 * CHUNK) continue;
    add(chunk.join(''));
    chunk = [];
    await yieldToOthers();
  }
  add(chunk.join(''));
  const header = JSON.stringify({ format, version: VERSION, sha256: hash.digest('hex') });
  return `${header}\n${parts.join('')}`;
}

/** Reads such a text back. Never throws, whatever the text. */
export function readChecked(format: string, text: string): CheckedContent {
  const headerEnd = text.indexOf('\n');
  const header = headerOf(text.slice(0, Math.max(0, headerEnd)));
  if (header.format !== format) return { usable: false, why: 'it does not begin as it should' };
  if (header.version !== VERSION) {
    return { usable: false, why: `it has version ${String(header.version)}, this program knows ${VERSION}` };
  }
  const body = text.slice(headerEnd + 1);
  if (createHash('sha256').update(body).digest('hex') !== header.sha256) {
    return { usable: false, why: 'its checksum is wrong' };
  }
  const [about, ...lines] = body.split('\n').slice(0, -1).map(parseLine);
  return { usable: true, about, entries: lines };
}

interface Header {
  readonly format?: unknown;
  readonly version?: unknown;
  readonly sha256?: unknown;
}

function headerOf(line: string): Header {
  const header = parseLine(line);
  return typeof header === 'object' && header !== null ? header : {};
}

/** Undefined for a line that is no JSON, which none of ours is. */
function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
