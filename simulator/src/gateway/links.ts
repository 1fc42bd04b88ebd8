/** One entry of an object's `links`; `rel` says relationship, `href` relationships [csi fixtures]. */
export interface Link {
  readonly rel: string;
  readonly href: string;
}

/** `self`, then what belongs to the object, then its parents by the field that names them. */
export function linksOf(
  type: string,
  id: string,
  related: { readonly relationships: readonly string[]; readonly parents: Readonly<Record<string, string>> },
): Link[] {
  const self = `/api/instances/${type}::${id}`;
  return [
    { rel: 'self', href: self },
    ...related.relationships.map((name) => ({
      rel: `/api/${type}/relationship/${name}`,
      href: `${self}/relationships/${name}`,
    })),
    ...Object.entries(related.parents).map(([field, href]) => ({
      rel: `/api/parent/relationship/${field}`,
      href: `/api/instances/${href}`,
    })),
  ];
}
