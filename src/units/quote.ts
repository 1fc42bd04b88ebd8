/** Letters that are not seen, or turn the writing round, would show another text than the one that is meant: they are escaped. */
export function shown(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (hidden) => `\\u${hidden.codePointAt(0)?.toString(16).padStart(4, '0') ?? ''}`,
  );
}

/** What a caller wrote, for a message: in quotes, on one line, and cut to about `longest` characters. */
export function quote(text: string, longest = 48): string {
  const escaped = shown(JSON.stringify(text.slice(0, longest)).slice(1, -1));
  const isCut = text.length > longest || escaped.length > longest;
  return `"${escaped.slice(0, longest)}${isCut ? '…' : ''}"`;
}
