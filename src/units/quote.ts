/** What a caller wrote, for a message: in quotes, on one line, and cut to about `longest` characters. */
export function quote(text: string, longest = 48): string {
  const escaped = JSON.stringify(text.slice(0, longest)).slice(1, -1);
  const isCut = text.length > longest || escaped.length > longest;
  return `"${escaped.slice(0, longest)}${isCut ? '…' : ''}"`;
}
