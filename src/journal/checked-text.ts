import { createHash } from 'node:crypto';
import { setImmediate as yieldToOthers } from 'node:timers/promises';

/*
 * The form of a file: a header line with format, version and the SHA-256 of all that follows; a line about the whole;
 * then one line per entry. One changed or missing byte shows.
 */

const VERSION = 1;
/** Entries handled at a time, few milliseconds' worth. */
const CHUNK = 1000;

/** What a file says, or why it cannot be used. */
export type CheckedText =
  | { readonly usable: true; readonly about: unknown; readonly lines: readonly string[] }
  /** `isNewer`: a newer program wrote it (rule 19), so it is whole as far as anybody here can tell. */
  | { readonly usable: false; readonly why: string; readonly isNewer: boolean };

/** The bytes of a file. No line may hold a newline. Lets others run between chunks when the lines are many. */
export async function writeChecked(
  format: string,
  about: object,
  lines: Iterable<string>,
): Promise<Uint8Array> {
  const hash = createHash('sha256');
  const parts: Uint8Array[] = [];
  const add = (text: string): void => {
    const bytes = Buffer.from(text);
    hash.update(bytes);
    parts.push(bytes);
  };
  add(`${JSON.stringify(about)}\n`);
  let chunk: string[] = [];
  for (const line of lines) {
    chunk.push(line, '\n');
    if (chunk.length < 2 * CHUNK) continue;
    add(chunk.join(''));
    chunk = [];
    await yieldToOthers();
  }
  add(chunk.join(''));
  const header = JSON.stringify({ format, version: VERSION, sha256: hash.digest('hex') });
  return Buffer.concat([Buffer.from(`${header}\n`), ...parts]);
}

/** Reads such a file back. Never throws, whatever the text. */
export function readChecked(format: string, text: string): CheckedText {
  const headerEnd = text.indexOf('\n');
  const header = headerOf(text.slice(0, Math.max(0, headerEnd)));
  if (header.format !== format) return unusable('it does not begin as it should');
  if (header.version !== VERSION) {
    const isNewer = Number.isSafeInteger(header.version) && Number(header.version) > VERSION;
    return unusable(`it has version ${String(header.version)}, this program knows ${VERSION}`, isNewer);
  }
  const body = text.slice(headerEnd + 1);
  if (createHash('sha256').update(body).digest('hex') !== header.sha256) {
    return unusable('its checksum is wrong');
  }
  const [about = '', ...lines] = body.split('\n').slice(0, -1);
  return { usable: true, about: parseLine(about), lines };
}

function unusable(why: string, isNewer = false): CheckedText {
  return { usable: false, why, isNewer };
}

/** The JSON of one line; undefined for a line that is none. */
export function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
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
