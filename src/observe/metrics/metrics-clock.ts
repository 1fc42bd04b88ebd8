/** Time as metrics need it; the program's clock does. */
export interface MetricsClock {
  /** Milliseconds since 1970; for time stamps only. */
  now(): number;
  /** Milliseconds since some moment; only ever grows. */
  elapsed(): number;
}
