/** The limit of a call that ends in no time; only a test that hangs needs it. */
export function soon(): AbortSignal {
  return AbortSignal.timeout(50_000);
}
