import { createHash } from 'node:crypto';
import type { OpenAPIV3_1 } from 'openapi-types';
import { ROOT, type ApiServer } from './route.ts';

/*
 * The OpenAPI description, and a page of it. The page is written here: those that there are (Scalar, Redoc, Swagger UI) bring one to four MB
 * of scripts into the program, styles that its content security policy would have to let in, and fonts from elsewhere.
 */

const STYLE = `
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0 auto;max-width:60rem;padding:1rem}
code,pre{font:.875rem/1.45 ui-monospace,monospace}
pre{overflow:auto;padding:.75rem;border:1px solid #8886;border-radius:.4rem}
h2{margin-top:2.5rem;border-bottom:1px solid #8886}
h3{margin-bottom:.25rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8883}
details{margin:.5rem 0}
`;
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;

/** GET /api/v1/openapi.json and /api/v1/reference, which hold nothing of the array and so need no token. */
export function addReferenceRoutes(server: ApiServer): void {
  const hide = { schema: { hide: true } };
  server.get(`${ROOT}/openapi.json`, hide, (_request, reply) => reply.send(server.swagger()));
  server.get(`${ROOT}/reference`, hide, (_request, reply) => {
    const document = server.swagger() as OpenAPIV3_1.Document;
    return reply
      .header('content-security-policy', POLICY)
      .type('text/html; charset=utf-8')
      .send(pageOf(document));
  });
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly about: OpenAPIV3_1.OperationObject;
}

/** HTML of an OpenAPI description; nothing in it is taken for markup. */
export function pageOf(document: OpenAPIV3_1.Document): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method): readonly Operation[] => {
      const about = item?.[method];
      return about === undefined ? [] : [{ method, path, about }];
    }),
  );
  const tags = [...new Set(operations.flatMap(({ about }) => about.tags ?? []))];
  const { title, version, description = '' } = document.info;
  const sections = tags.map((tag) => {
    const own = operations.filter(({ about }) => about.tags?.includes(tag) === true);
    return `<section><h2>${html(tag)}</h2>${own.map(operationHtml).join('')}</section>`;
  });
  const schemas = Object.entries(document.components?.schemas ?? {}).map(([name, schema]) =>
    fold(name, schema),
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${html(title)}: API</title><style>${STYLE}</style></head>
<body><header><h1>${html(title)} ${html(version)}: API</h1><p>${html(description)}</p>
<p>Every call takes <code>Authorization: Bearer TOKEN</code>. For programs: <a href="openapi.json">openapi.json</a>.</p></header>
<main>${sections.join('')}<section><h2>Schemas</h2>${schemas.join('')}</section></main></body></html>
`;
}

function operationHtml({ method, path, about }: Operation): string {
  const { operationId = '', summary = '', parameters = [], requestBody, responses = {} } = about;
  const rows = parameters.flatMap((one) =>
    'name' in one
      ? [
          `<tr><td><code>${html(one.name)}</code></td><td>${html(one.in)}${one.required === true ? ', required' : ''}</td><td>${html(descriptionOf(one))}</td></tr>`,
        ]
      : [],
  );
  const table = rows.length === 0 ? '' : `<table><tbody>${rows.join('')}</tbody></table>`;
  const body = requestBody === undefined ? '' : fold('Body', contentOf(requestBody));
  const answers = Object.entries(responses).map(([status, response]) =>
    fold(`Answer ${status}`, contentOf(response)),
  );
  return (
    `<article id="${html(operationId)}"><h3><code>${method.toUpperCase()} ${html(path)}</code></h3>` +
    `<p>${html(summary)}</p>${table}${body}${answers.join('')}</article>`
  );
}

function descriptionOf(parameter: OpenAPIV3_1.ParameterObject): string {
  const { description, schema } = parameter;
  return description ?? (schema !== undefined && 'description' in schema ? (schema.description ?? '') : '');
}

function contentOf(from: object): unknown {
  if (!('content' in from)) return 'description' in from ? from.description : from;
  const [media] = Object.values(from.content as Record<string, { readonly schema?: unknown }>);
  return media?.schema ?? {};
}

function fold(title: string, content: unknown): string {
  return `<details><summary>${html(title)}</summary><pre>${html(JSON.stringify(content, null, 2))}</pre></details>`;
}

function html(text: string): string {
  const escaped: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replaceAll(/[&<>"]/g, (character) => escaped[character] ?? '');
}
