// The drawing: the SVG of `parti draw`, taken apart into parts and arrows that can be found, lit and faded.

/** @import { PlanPart } from "../types.js" */

/** @typedef {{ x: number, y: number, width: number, height: number }} Box */
/** @typedef {{ group: SVGGElement, box: Box }} Part */
/** @typedef {{ group: SVGGElement, line: SVGPathElement, source: string, target: string, kinds: string[] }} Arrow */

const SVG = "http://www.w3.org/2000/svg";
const NOWHERE = { x: 0, y: 0, width: 0, height: 0 };
const MARGIN = 28;

export class Drawing {
  /** @param {string} text @param {PlanPart[]} about */
  constructor(text, about) {
    this.svg = parsed(text);
    this.svg.setAttribute("role", "group");
    this.svg.setAttribute("aria-label", "Parts and what flows between them");
    for (const name of ["width", "height", "viewBox"]) this.svg.removeAttribute(name);
    this.camera = created("g", "camera");
    this.camera.append(...this.svg.childNodes);
    this.svg.append(this.camera);
    this.parts = new Map([...this.svg.querySelectorAll("g.part")].map((group) => partOf(group, about)));
    this.arrows = [...this.svg.querySelectorAll("g.arrow")].map(arrowOf);
    /** @type {Box} */
    this.bounds = NOWHERE;
  }

  /** Learn where everything is; the drawing must be in the page. */
  measure() {
    for (const part of this.parts.values()) part.box = boxOf(part.group.querySelector(".shape"));
    const boxes = [".arrows", ".parts", ".legend"].map((one) => boxOf(this.svg.querySelector(one)));
    this.bounds = around(boxes.filter((box) => box.width > 0));
  }

  /** The parts that an arrow joins to it. @param {string} name */
  neighbours(name) {
    return this.arrows.filter((one) => one.source === name).map((one) => one.target)
      .concat(this.arrows.filter((one) => one.target === name).map((one) => one.source));
  }

  /** The nearest part in the direction of an arrow key, or the leftmost of all where none is given. @param {string} name @param {string} key */
  beside(name, key) {
    const from = this.parts.get(name)?.box;
    if (!from) return [...this.parts].sort(([, one], [, other]) => one.box.x - other.box.x)[0]?.[0];
    const level = key === "ArrowLeft" || key === "ArrowRight";
    const way = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
    let best = { name: "", far: Infinity };
    for (const [other, { box }] of this.parts) {
      const [x, y] = [middle(box).x - middle(from).x, middle(box).y - middle(from).y];
      const [ahead, aside] = level ? [x * way, Math.abs(y)] : [y * way, Math.abs(x)];
      const far = ahead + 2 * aside;
      if (other !== name && ahead > 4 && far < best.far) best = { name: other, far };
    }
    return best.name;
  }
}

/** @param {string} name @param {string} style @returns {any} */
export function created(name, style) {
  const element = document.createElementNS(SVG, name);
  element.setAttribute("class", style);
  return element;
}

/** The drawing comes from our own server, which escapes every name in it. @param {string} text @returns {SVGSVGElement} */
function parsed(text) {
  const root = new DOMParser().parseFromString(/** @type {any} */ (POLICY.createHTML(text)), "image/svg+xml").documentElement;
  return /** @type {any} */ (document.importNode(root, true));
}

/** The one policy that the server's Content-Security-Policy lets make markup out of text, for the drawing alone. */
const POLICY = /** @type {any} */ (window).trustedTypes?.createPolicy("drawing", {
  createHTML: (/** @type {string} */ text) => text,
}) ?? { createHTML: (/** @type {string} */ text) => text };

/** @param {Element} element @param {PlanPart[]} about @returns {[string, Part]} */
function partOf(element, about) {
  const group = /** @type {SVGGElement} */ (element);
  const name = group.dataset.part ?? "";
  const known = about.find((part) => part.name === name);
  group.querySelector("title")?.remove(); // a card says more
  group.setAttribute("tabindex", "0");
  group.setAttribute("role", "link");
  group.setAttribute("aria-label", `${known?.kind ?? ""} ${name}`);
  return [name, { group, box: NOWHERE }];
}

/** @param {Element} element @returns {Arrow} */
function arrowOf(element) {
  const group = /** @type {SVGGElement} */ (element);
  const { source = "", target = "", kind = "" } = group.dataset;
  const line = /** @type {SVGPathElement} */ (group.querySelector("path.line"));
  return { group, line, source, target, kinds: kind.split(" ") };
}

/** @param {Element | null} element @returns {Box} */
const boxOf = (element) => (element instanceof SVGGraphicsElement ? element.getBBox() : NOWHERE);

/** @param {Box} box */
const middle = (box) => ({ x: box.x + box.width / 2, y: box.y + box.height / 2 });

/** @param {Box[]} boxes @returns {Box} */
function around(boxes) {
  if (!boxes.length) return NOWHERE;
  const x = Math.min(...boxes.map((box) => box.x)) - MARGIN;
  const y = Math.min(...boxes.map((box) => box.y)) - MARGIN;
  const right = Math.max(...boxes.map((box) => box.x + box.width)) + MARGIN;
  const bottom = Math.max(...boxes.map((box) => box.y + box.height)) + MARGIN;
  return { x, y, width: right - x, height: bottom - y };
}
