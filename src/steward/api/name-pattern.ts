/** Names that a token may touch: a name as it is, or with `*` for any characters and `?` for one. */
export class NamePattern {
  readonly written: readonly string[];

  constructor(written: readonly string[]) {
    this.written = written;
  }

  /** True for every name, also one that nobody can tell. */
  get isEverything(): boolean {
    return this.written.includes('*');
  }

  matches(name: string): boolean {
    return this.written.some((pattern) => isMatch(pattern, name));
  }

  toString(): string {
    return this.written.join(', ');
  }
}

/** Not by a regular expression, which takes seconds for a long name that nearly fits several stars. */
function isMatch(pattern: string, name: string): boolean {
  let at = 0;
  let next = 0;
  /** The last star, and the first character that it does not stand for yet. */
  let star = -1;
  let behind = 0;
  while (next < name.length) {
    const wanted = pattern.charAt(at);
    if (wanted === '*') {
      star = at;
      behind = next;
      at += 1;
    } else if (wanted === '?' || wanted === name.charAt(next)) {
      at += 1;
      next += 1;
    } else if (star >= 0) {
      behind += 1;
      at = star + 1;
      next = behind;
    } else return false;
  }
  return pattern.slice(at).replaceAll('*', '') === '';
}
