import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

interface CaFileLog {
  warn(facts: object, message: string): void;
}

/** The authorities of a PEM file that may be replaced while we run. */
export class CaFile {
  readonly #path: string;
  readonly #log: CaFileLog;
  #good: string;
  #complaint: string | undefined;

  private constructor(path: string, good: string, log: CaFileLog) {
    this.#path = path;
    this.#good = good;
    this.#log = log;
  }

  /** Rejects when the file cannot be read now. */
  static async open(path: string, log: CaFileLog): Promise<CaFile> {
    return new CaFile(path, await readFile(path, 'utf8'), log);
  }

  /** What the file holds, in PEM; what it held when it was last whole, while it is gone or half-written. Never rejects. */
  async current(): Promise<string> {
    try {
      const text = await readFile(this.#path, 'utf8');
      if (text !== this.#good) assertCertificates(text);
      this.#good = text;
      this.#complaint = undefined;
    } catch (cause) {
      const error = cause instanceof Error ? cause.message : String(cause);
      if (error !== this.#complaint)
        this.#log.warn(
          { caFile: this.#path, error },
          'CA file cannot be used; going on with what it held before',
        );
      this.#complaint = error;
    }
    return this.#good;
  }
}

/** Of a PEM file. Throws unless there is a certificate, and each that begins is whole. */
export function assertCertificates(text: string): void {
  const certificates = text.match(CERTIFICATE) ?? [];
  const begun = text.split('-----BEGIN ').length - 1;
  if (certificates.length === 0 || begun > certificates.length)
    throw new Error('it holds no whole certificate');
  for (const certificate of certificates) new X509Certificate(certificate);
}
