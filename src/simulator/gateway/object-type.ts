import type { SimulatedArray } from '../array.ts';
import type { RequestFields } from './request-fields.ts';
import type { Statistics } from './statistics.ts';

/** What an action or a create answers; undefined becomes `{}`. */
export type Reply = object | string | undefined;

/** Action on one object. */
export type Action = (id: string, fields: RequestFields) => Promise<Reply>;

/** Related objects: their type and ids. */
export type Relation = (id: string) => { readonly type: string; readonly ids: readonly string[] };

/** One object type of the REST API: everything that its paths can do. */
export interface ObjectType {
  readonly name: string;
  /** Ids of all objects, in the order of lists. */
  ids(): Iterable<string>;
  /** One object as JSON text. Throws the type's own "could not find". */
  text(id: string): string;
  readonly relations: Readonly<Record<string, Relation>>;
  readonly actions: Readonly<Record<string, Action>>;
  statistics?(id: string): Statistics;
  /** Answers queryIdByKey and getByName; undefined when nothing fits. */
  idByKey?(fields: RequestFields): string | undefined;
  /** What getByName's key means for this type, as the fields of queryIdByKey. */
  keyOfName?(name: string): Record<string, string>;
  create?(fields: RequestFields): Promise<string>;
  /** What 4.x says where 2.x and 3.x say "Not found". */
  missing?(): Error;
}

/** What object types work on. */
export interface TypeContext {
  readonly array: SimulatedArray;
  readonly fieldsOf: (value: unknown) => RequestFields;
}
