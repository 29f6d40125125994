// The stage of the plan: the drawing under a camera, with figures over it, and the part that is looked at.

/** @import { Finding, Picture, Plan } from "../types.js" */
import { signal } from "../html.js";
import { go } from "../routes.js";
import { Camera } from "./camera.js";
import { Drawing } from "./drawing.js";
import { Overlay } from "./overlay.js";

/** The scale below which names cannot be read; the first look begins no smaller. */
const LEGIBLE = 0.62;

export class Stage {
  /** @param {HTMLElement} place @param {Plan} plan */
  constructor(place, plan) {
    this.drawing = new Drawing(plan.drawing, plan.parts);
    place.replaceChildren(this.drawing.svg);
    this.drawing.measure();
    this.overlay = new Overlay(this.drawing);
    this.camera = new Camera(this.drawing.svg, this.drawing.camera, this.drawing.bounds);
    /** The part that the pointer or the keyboard is on, "" for none. */
    this.chosen = signal("");
    this.found = /** @type {string[]} */ ([]);
    this.over = new AbortController();
    this.camera.fit(LEGIBLE);
    this.attend();
  }

  end() {
    this.over.abort();
    this.camera.end();
    this.drawing.svg.remove();
  }

  fit() {
    this.camera.fit(0);
  }

  /** @param {Picture} picture */
  show(picture) {
    this.overlay.show(picture);
  }

  /** @param {Finding[]} findings */
  judge(findings) {
    this.overlay.judge(findings.filter((one) => !one.accepted));
  }

  /** Look at a part and what it is joined to; the rest fades. @param {string} name */
  choose(name) {
    if (name === this.chosen.value) return;
    this.chosen.value = name;
    if (!name && document.activeElement instanceof SVGElement) document.activeElement.blur();
    this.drawing.svg.classList.toggle("choosing", name !== "");
    for (const arrow of this.drawing.arrows) {
      arrow.group.classList.toggle("near", arrow.source === name || arrow.target === name);
    }
    const near = new Set([name, ...this.drawing.neighbours(name)]);
    for (const [other, part] of this.drawing.parts) part.group.classList.toggle("near", near.has(other));
  }

  /** Mark the parts whose name holds the text. @param {string} text */
  find(text) {
    const wanted = text.trim().toLowerCase();
    this.found = wanted ? [...this.drawing.parts.keys()].filter((name) => name.toLowerCase().includes(wanted)) : [];
    this.drawing.svg.classList.toggle("finding", wanted !== "");
    for (const [name, part] of this.drawing.parts) part.group.classList.toggle("found", this.found.includes(name));
  }

  /** Go to the first part that was found. */
  toFound() {
    if (this.found[0]) this.focus(this.found[0]);
  }

  /** Go to the nearest part in the direction of an arrow key. @param {string} key */
  step(key) {
    const next = this.drawing.beside(this.chosen.value, key);
    if (next) this.focus(next);
  }

  /** @param {string} name */
  focus(name) {
    const part = this.drawing.parts.get(name);
    if (!part) return;
    part.group.focus({ preventScroll: true });
    this.camera.reveal(part.box);
  }

  /** Whether a part lies in the right of the screen, where it would be under a card. @param {string} name */
  isRight(name) {
    const box = this.drawing.parts.get(name)?.box;
    return box !== undefined && this.camera.x + (box.x + box.width) * this.camera.scale > this.camera.room().width - 330;
  }

  attend() {
    const { svg, parts } = this.drawing;
    const { signal } = this.over;
    for (const [name, { group }] of parts) {
      group.addEventListener("pointerenter", () => this.choose(name), { signal });
      group.addEventListener("pointerleave", () => this.choose(""), { signal });
      group.addEventListener("focus", () => this.choose(name), { signal });
      group.addEventListener("blur", () => this.choose(""), { signal });
      group.addEventListener("click", () => this.camera.dragged || go("parts", name), { signal });
      group.addEventListener("keydown", (event) => event.key === "Enter" && go("parts", name), { signal });
    }
    svg.addEventListener("pointercancel", () => this.choose(""), { signal });
  }
}
