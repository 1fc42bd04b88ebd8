import type { SimulatedArray } from '../array/array.ts';
import type { Cluster } from '../mdm/cluster.ts';
import { RequestFields } from './request-fields.ts';
import type { Statistics } from './statistics.ts';

/** What an action or a create answers; undefined becomes `{}`. */
type Reply = object | string | undefined;

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
  /** Makes an action that changes something and answers `{}`. */
  readonly change: (operation: Operation) => Action;
}

/** The change that an action makes. */
type Operation = (cluster: Cluster, id: string, fields: RequestFields) => void;

/** The context of the types of one array. */
export function typeContext(array: SimulatedArray): TypeContext {
  return {
    array,
    fieldsOf: (value) => RequestFields.of(value, array.cluster),
    change: (operation) => async (id, fields) => {
      await array.perform((cluster) => {
        operation(cluster, id, fields);
      });
      return undefined;
    },
  };
}
