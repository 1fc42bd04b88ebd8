import { since, type Cluster } from '../mdm/cluster.ts';
import { invalidRequest } from '../mdm/failures.ts';

/**
 * Fields of a request body. Scalars may come as strings or as themselves, booleans in any case of letters. What is
 * missing or malformed is refused in the gateway's own words [gsio sdc_test.go, sio-py].
 */
export class RequestFields {
  readonly #body: Readonly<Record<string, unknown>>;
  readonly #stop: string;

  constructor(body: Readonly<Record<string, unknown>>, cluster: Pick<Cluster, 'version'>) {
    this.#body = body;
    this.#stop = since(cluster, '3.0') ? '' : '.';
  }

  /** Fields of an object inside the body. */
  static of(value: unknown, cluster: Pick<Cluster, 'version'>): RequestFields {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return new RequestFields(isObject ? (value as Record<string, unknown>) : {}, cluster);
  }

  has(name: string): boolean {
    return this.#body[name] !== undefined && this.#body[name] !== null;
  }

  raw(name: string): unknown {
    return this.#body[name];
  }

  /** Text of a field, undefined when absent. */
  optional(name: string): string | undefined {
    const value = this.#body[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    throw invalidRequest(`Request message is not valid: ${name} should be a single value`);
  }

  text(name: string): string {
    const value = this.optional(name);
    if (value === undefined) throw this.missing(name);
    return value;
  }

  /** The 400 for required fields that are not there. */
  missing(...names: string[]): Error {
    const list = names.join(', ');
    return invalidRequest(
      `Request message is not valid: The following parameter(s) must be part of the request body: ${list}${this.#stop}`,
    );
  }

  /** The name of the first field present. Throws when none is. */
  oneOf(...names: string[]): string {
    const found = names.find((name) => this.#body[name] !== undefined);
    if (found !== undefined) return found;
    throw invalidRequest(
      `Request message is not valid: One of the parameter(s) must be part of the request body: ${names.join(', ')}`,
    );
  }

  flag(name: string): boolean | undefined {
    const value = this.optional(name)?.toLowerCase();
    if (value === undefined) return undefined;
    if (value === 'true' || value === 'false') return value === 'true';
    throw invalidRequest(
      `${name} should get one of the following values: TRUE, FALSE, but its value is ${value}`,
    );
  }

  number(name: string): number | undefined {
    const value = this.optional(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (value.trim() !== '' && Number.isFinite(number)) return number;
    throw invalidRequest(`${name} (${value}) must be a number`);
  }

  choice<const T extends string>(name: string, values: readonly T[]): T | undefined {
    const value = this.optional(name);
    if (value === undefined) return undefined;
    const found = values.find((candidate) => candidate === value);
    if (found !== undefined) return found;
    throw invalidRequest(
      `${name} should get one of the following values: ${values.join(', ')}, but its value is ${value}`,
    );
  }

  /** A list field; one bare value is a list of one, absent is empty. */
  list(name: string): unknown[] {
    const value = this.#body[name];
    if (value === undefined || value === null || value === '') return [];
    return Array.isArray(value) ? value : [value];
  }

  texts(name: string): string[] {
    return this.list(name).map(String);
  }

  /** An object's id. */
  id(name: string): string {
    return objectId(this.text(name));
  }

  optionalId(name: string): string | undefined {
    const value = this.optional(name);
    return value === undefined ? undefined : objectId(value);
  }
}

/** An id as the array writes it. Throws the gateway's 400 for what is not an unsigned long in hex [gsio]. */
export function objectId(given: string): string {
  if (!/^[0-9a-f]{1,16}$/i.test(given)) {
    throw invalidRequest(`id (${given}) must be a hexadecimal number (unsigned long)`);
  }
  return given.toLowerCase().padStart(16, '0');
}
