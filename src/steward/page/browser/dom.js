/**
 * The element that the page has under this id.
 * @param {string} id
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element "${id}"`);
  return found;
}

/**
 * A new element. Text goes in as text: names of volumes come from anybody.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Readonly<Record<string, string>>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/**
 * Only when it changes, so that selections stay and screen readers are left alone.
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {Element} node
 * @param {string} name
 * @param {string} value
 */
export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/**
 * @param {HTMLElement} node
 * @param {boolean} isShown
 */
export function show(node, isShown) {
  if (node.hidden === isShown) node.hidden = !isShown;
}

/**
 * Makes the children of `parent` those of the items, in their order. A child stays the same element as long as its item's key
 * stays, so that focus, selection and a screen reader's place do.
 * @template Item
 * @param {Element} parent
 * @param {readonly Item[]} items
 * @param {{ key: (item: Item) => string, make: (item: Item) => Element, fill: (child: Element, item: Item) => void }} parts
 */
export function keep(parent, items, { key, make, fill }) {
  const known = new Map([...parent.children].map((child) => [child.getAttribute('data-key'), child]));
  let next = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    const child = known.get(name) ?? make(item);
    known.delete(name);
    setAttribute(child, 'data-key', name);
    fill(child, item);
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  for (const child of known.values()) child.remove();
}

/**
 * The part of an element that was made with data-part.
 * @param {Element} parent
 * @param {string} name
 */
export function part(parent, name) {
  const found = parent.querySelector(`[data-part="${name}"]`);
  if (!(found instanceof HTMLElement)) throw new Error(`no part "${name}"`);
  return found;
}

/**
 * An icon of the page; decoration, since words stand beside it.
 * @param {string} name
 */
export function icon(name) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(space, 'use');
  use.setAttribute('href', `#icon-${name}`);
  svg.append(use);
  return svg;
}
