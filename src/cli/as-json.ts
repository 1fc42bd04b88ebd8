/** What --json prints. */
export function asJson(facts: unknown): string {
  return `${JSON.stringify(facts, null, 2)}\n`;
}
