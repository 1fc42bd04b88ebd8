/**
 * The texts by which a secret shows: itself, as URLs and JSON have it, and what is the same in every base64 (also the URL
 * kind) of a longer text that contains it, at each of the three positions it can have there.
 */
export function formsOf(secret: string): Set<string> {
  const plain = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
  const encoded = [0, 1, 2].map((before) => encodedAt(secret, before));
  const forUrls = encoded.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return new Set([...plain, ...encoded, ...forUrls]);
}

/** Base64 of the secret behind `before` other bytes, without the characters that depend on its neighbours. */
function encodedAt(secret: string, before: number): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
  const own = Math.ceil((before * 8) / 6);
  return bytes.toString('base64').slice(own, Math.floor((bytes.length * 8) / 6));
}
