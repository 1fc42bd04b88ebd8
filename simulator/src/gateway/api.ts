import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { since } from '../mdm/cluster.ts';
import { ArrayError, invalidRequest, refusal } from '../mdm/failures.ts';
import type { AuthenticationParts } from './authentication.ts';
import type { ObjectType } from './object-type.ts';
import { objectTypes } from './object-types.ts';
import { sendJson, sendList, sendText } from './replies.ts';
import { objectId, type RequestFields } from './request-fields.ts';
import type { Statistics } from './statistics.ts';

interface Route {
  Params: { type: string; object: string; name: string };
}
type Request = FastifyRequest<Route>;

/** Serves the REST API's objects: the grammar of paths is the same for all types. */
export class GatewayApi {
  readonly #parts: AuthenticationParts;
  readonly #types: ReadonlyMap<string, ObjectType>;

  constructor(parts: AuthenticationParts) {
    this.#parts = parts;
    this.#types = objectTypes(parts);
  }

  /** Adds the routes to one gateway; several may serve the same objects. */
  addTo(app: FastifyInstance): void {
    app.addHook('preHandler', () => this.#parts.array.settle());
    app.get('/api/version', (_, reply) => sendJson(reply, this.#parts.array.settings.version));
    app.get('/api/instances', (_, reply) => this.#everything(reply));
    app.get<Route>('/api/types/:type/instances', (request, reply) => this.#list(request, reply));
    app.post<Route>('/api/types/:type/instances', (request, reply) => this.#create(request, reply));
    app.get<Route>('/api/types/:type/instances/:name', (request, reply) => this.#byName(request, reply));
    app.post<Route>('/api/types/:type/instances/action/:name', (request, reply) =>
      this.#query(request, reply),
    );
    app.get<Route>('/api/instances/:object', (request, reply) => this.#get(request, reply));
    app.get<Route>('/api/instances/:object/relationships/:name', (request, reply) =>
      this.#related(request, reply),
    );
    app.post<Route>('/api/instances/:object/action/:name', (request, reply) => this.#act(request, reply));
    app.post<Route>('/api/instances/:object/:name', (request, reply) => this.#act(request, reply));
  }

  #type(name: string): ObjectType {
    const type = this.#types.get(name);
    if (type === undefined) throw notFound(`The type ${name} is not a valid instance type`);
    return type;
  }

  #list(request: Request, reply: FastifyReply): FastifyReply {
    const type = this.#type(request.params.type);
    return sendList(reply, [...type.ids()], (id) => type.text(id));
  }

  async #create(request: Request, reply: FastifyReply): Promise<FastifyReply> {
    const type = this.#type(request.params.type);
    if (type.create === undefined) throw notFound(`Instances of ${type.name} cannot be created`);
    return sendJson(reply, { id: await type.create(this.#fields(request)) });
  }

  #get(request: Request, reply: FastifyReply): FastifyReply {
    const { type, id } = this.#object(request);
    return sendText(reply, type.text(id));
  }

  async #related(request: Request, reply: FastifyReply): Promise<FastifyReply> {
    const { type, id } = this.#object(request);
    const { name } = request.params;
    type.text(id);
    if (name === 'Statistics' && type.statistics) {
      await this.#parts.array.measure();
      return sendJson(reply, type.statistics(id));
    }
    const relation = type.relations[name];
    if (relation === undefined) throw notFound(`${type.name} has no relationship ${name}`);
    const related = relation(id);
    const other = this.#type(related.type);
    return sendList(reply, related.ids, (relatedId) => other.text(relatedId));
  }

  async #act(request: Request, reply: FastifyReply): Promise<FastifyReply> {
    const { type, id } = this.#object(request);
    const action = type.actions[request.params.name];
    if (action === undefined) throw notFound(`${type.name} has no action ${request.params.name}`);
    return sendJson(reply, (await action(id, this.#fields(request))) ?? {});
  }

  async #query(request: Request, reply: FastifyReply): Promise<FastifyReply> {
    const type = this.#type(request.params.type);
    const fields = this.#fields(request);
    switch (request.params.name) {
      case 'queryIdByKey':
        return sendJson(reply, this.#idByKey(type, fields));
      case 'queryBySelectedIds': {
        const ids = fields.texts('ids').map(objectId);
        return sendList(reply, ids, (id) => this.#selected(type, id));
      }
      case 'querySelectedStatistics':
        await this.#parts.array.measure();
        return sendJson(reply, this.#selectedStatistics(type, fields));
      default:
        return this.#systemQuery(request, reply);
    }
  }

  /** Some clients put the system's own actions under its type. */
  async #systemQuery(request: Request, reply: FastifyReply): Promise<FastifyReply> {
    const { type, name } = request.params;
    const action = type === 'System' ? this.#type('System').actions[name] : undefined;
    if (action === undefined) throw notFound(`${type} has no action ${name}`);
    return sendJson(reply, (await action(this.#systemId(), this.#fields(request))) ?? {});
  }

  #selected(type: ObjectType, id: string): string {
    try {
      return type.text(id);
    } catch (error) {
      if (type.name !== 'VTree' || !(error instanceof ArrayError)) throw error;
      throw invalidRequest(
        `Query selected Instances type: VTree - Got no statistics for id ${id}. It doesn't exist`,
      );
    }
  }

  #idByKey(type: ObjectType, fields: RequestFields): string {
    const id = type.idByKey?.(fields);
    if (id !== undefined) return id;
    throw (since(this.#parts.array.cluster, '4.0') ? type.missing?.() : undefined) ?? refusal('NOT_FOUND');
  }

  /** `getByName::<name>` and `getByIp::<ip>`; the name may be encoded twice [siolib, os-brick]. */
  #byName(request: Request, reply: FastifyReply): FastifyReply {
    const { name: key } = request.params;
    const type = this.#type(request.params.type);
    const [, by, name] = /^getBy(Name|Ip)::(.*)$/s.exec(key) ?? [];
    if (by === undefined || name === undefined) throw notFound(`Unknown request ${key}`);
    for (const candidate of new Set([name, decodedAgain(name)])) {
      const fields = by === 'Ip' ? { ip: candidate } : type.keyOfName?.(candidate);
      const id = fields === undefined ? undefined : type.idByKey?.(this.#parts.fieldsOf(fields));
      if (id !== undefined) return sendJson(reply, id);
    }
    throw refusal('NOT_FOUND');
  }

  #selectedStatistics(type: ObjectType, fields: RequestFields): object {
    const statistics = (id: string): Statistics => {
      if (type.statistics === undefined) throw notFound(`${type.name} has no statistics`);
      return type.statistics(id);
    };
    const properties = fields.texts('properties');
    const pick = (id: string): object => picked(statistics(id), properties, type.name);
    if (type.name === 'System') return pick(this.#systemId());
    const ids = fields.has('allIds') ? [...type.ids()] : fields.texts('ids').map(objectId);
    for (const id of ids) type.text(id);
    return Object.fromEntries(ids.map((id) => [id, pick(id)]));
  }

  #everything(reply: FastifyReply): FastifyReply {
    const lists: Record<string, string> = {
      protectionDomainList: 'ProtectionDomain',
      sdsList: 'Sds',
      sdcList: 'Sdc',
      storagePoolList: 'StoragePool',
      volumeList: 'Volume',
      vTreeList: 'VTree',
      deviceList: 'Device',
      faultSetList: 'FaultSet',
      rfcacheDeviceList: 'RfcacheDevice',
    };
    const system = this.#type('System').text(this.#systemId());
    const parts = Object.entries(lists).map(([key, name]) => {
      const type = this.#type(name);
      return `"${key}":[${[...type.ids()].map((id) => type.text(id)).join(',')}]`;
    });
    return sendText(reply, `{"System":${system},${parts.join(',')}}`);
  }

  /** `Type::id`, or `System` alone. */
  #object(request: Request): { type: ObjectType; id: string } {
    const [typeName = '', id] = request.params.object.split('::');
    const type = this.#type(typeName);
    if (type.name === 'System' && (id === undefined || id === '')) return { type, id: this.#systemId() };
    return { type, id: objectId(id ?? '') };
  }

  #systemId(): string {
    return this.#parts.array.cluster.state.system().id;
  }

  #fields(request: Request): RequestFields {
    return this.#parts.fieldsOf(request.body);
  }
}

function notFound(message: string): ArrayError {
  return new ArrayError(message, { status: 404, code: 0 });
}

function decodedAgain(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch (error) {
    if (error instanceof URIError) return name;
    throw error;
  }
}

/** The properties asked for; one that does not exist makes the whole call fail, which cinder counts on. */
function picked(statistics: Record<string, unknown>, properties: readonly string[], type: string): object {
  const values: Record<string, unknown> = {};
  for (const property of properties) {
    if (!(property in statistics)) {
      throw invalidRequest(`Query selected statistics: ${property} is not a property of ${type} statistics`);
    }
    values[property] = statistics[property];
  }
  return values;
}
