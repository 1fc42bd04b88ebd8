/*
 * Written by hand on purpose. Streaming parsers (stream-json, @streamparser/json) build each value in JavaScript; here only the borders of
 * elements are looked for, and whole slices go to JSON.parse, which is what lets List of 100,000 volumes keep its time.
 */

/** Bytes parsed between two pauses: a few ms of work, so that with the garbage collector on top nobody waits 50 ms. */
export const SLICE_BYTES = 128 * 1024;

const NONE = 0;
const QUOTED = 1;
const OPEN = 2;
const CLOSE = 3;
const COMMA = 4;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = 0x5b;
const CLOSING = 0x5d;

/** UTF-8 keeps bytes below 0x80 for ASCII alone, so structure can be found without decoding. */
const KIND = new Uint8Array(256);
KIND[QUOTE] = QUOTED;
for (const open of '[{') KIND[open.charCodeAt(0)] = OPEN;
for (const close of ']}') KIND[close.charCodeAt(0)] = CLOSE;
KIND[','.charCodeAt(0)] = COMMA;

function isBlank(text: string): boolean {
  return /^[ \t\r\n]*$/.test(text);
}

/**
 * Takes a JSON array in pieces cut anywhere and gives its elements as they become complete. Throws SyntaxError when the
 * text is anything else; `null`, too, is no list, since nobody can tell it from an answer that got lost (rule 15).
 */
export class JsonArraySplitter {
  #phase: 'before' | 'inside' | 'after' = 'before';
  #carried: Uint8Array[] = [];
  #depth = 0;
  #inString = false;
  #escaped = false;
  #afterComma = false;

  /** Elements completed by these bytes. */
  push(bytes: Uint8Array): unknown[] {
    const rest = this.#phase === 'before' ? this.#opened(bytes) : bytes;
    switch (this.#phase) {
      case 'before':
        return [];
      case 'inside':
        return this.#elements(rest);
      case 'after':
        return this.#trailing(rest);
    }
  }

  /** To be called after the last piece; throws SyntaxError when the array is not complete. */
  end(): void {
    if (this.#phase !== 'after') throw new SyntaxError('the list ended half-way');
  }

  /** What follows the opening bracket. */
  #opened(bytes: Uint8Array): Uint8Array {
    const start = bytes.findIndex((byte) => !isBlank(String.fromCharCode(byte)));
    if (start === -1) return bytes;
    if (bytes[start] !== OPENING) throw new SyntaxError('a list was expected');
    this.#phase = 'inside';
    return bytes.subarray(start + 1);
  }

  #join(bytes: Uint8Array): string {
    const all = this.#carried.length === 0 ? bytes : Buffer.concat([...this.#carried, bytes]);
    this.#carried = [];
    return Buffer.from(all.buffer, all.byteOffset, all.byteLength).toString('utf8');
  }

  #elements(bytes: Uint8Array): unknown[] {
    const boundary = this.#scan(bytes);
    if (boundary === -1) {
      // The chunk's memory belongs to the stream, which may use it again.
      this.#carried.push(Uint8Array.from(bytes));
      return [];
    }
    const text = this.#join(bytes.subarray(0, boundary));
    const complete = this.#depth < 0;
    if (complete && bytes[boundary] !== CLOSING) throw new SyntaxError('the list is not closed by a bracket');
    const elements = JSON.parse(`[${text}]`) as unknown[];
    if (elements.length === 0 && (this.#afterComma || !complete))
      throw new SyntaxError('an element is missing');
    this.#afterComma = true;
    const rest = bytes.subarray(boundary + 1);
    if (complete) {
      this.#phase = 'after';
      return [...elements, ...this.#trailing(rest)];
    }
    this.#carried = [Uint8Array.from(rest)];
    return elements;
  }

  #trailing(bytes: Uint8Array): unknown[] {
    if (!isBlank(this.#join(bytes))) throw new SyntaxError('something follows the list');
    return [];
  }

  /** Index of the last comma between elements, or of the array's end; -1 when there is none in these bytes. */
  #scan(bytes: Uint8Array): number {
    let boundary = -1;
    for (let index = 0; index < bytes.length; index += 1) {
      if (this.#inString) {
        index = this.#skipString(bytes, index);
        continue;
      }
      const kind = KIND[bytes[index] ?? 0] ?? NONE;
      if (kind === NONE) continue;
      if (kind === QUOTED) this.#inString = true;
      else if (kind === OPEN) this.#depth += 1;
      else if (kind === CLOSE) this.#depth -= 1;
      else if (this.#depth === 0) boundary = index;
      if (this.#depth < 0) return index;
    }
    return boundary;
  }

  /** Index of the string's closing quote, or the end of these bytes. */
  #skipString(bytes: Uint8Array, start: number): number {
    for (let index = start; index < bytes.length; index += 1) {
      const byte = bytes[index];
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) {
        this.#inString = false;
        return index;
      }
    }
    return bytes.length;
  }
}

/**
 * Hands each element of a streamed JSON array to `take`, pausing with `pause` at least once in every SLICE_BYTES so
 * that the event loop is never held up by a long list. Throws SyntaxError when the stream is no complete JSON array.
 */
export async function eachElement(
  chunks: AsyncIterable<Uint8Array>,
  take: (element: unknown) => void,
  pause: () => Promise<void>,
): Promise<void> {
  const splitter = new JsonArraySplitter();
  let sincePause = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const slice = chunk.subarray(at, at + SLICE_BYTES - sincePause);
      at += slice.length;
      sincePause += slice.length;
      for (const element of splitter.push(slice)) take(element);
      if (sincePause < SLICE_BYTES) continue;
      sincePause = 0;
      await pause();
    }
  }
  splitter.end();
}
