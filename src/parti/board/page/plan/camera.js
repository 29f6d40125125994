// The camera: how far and where the drawing is moved, by pointer, wheel, pinch and keyboard.

/** @import { Box } from "./drawing.js" */
import { signal } from "../html.js";

const LEAST = 0.08;
const MOST = 3;
/** Pixels that a pointer may move while it is down and still click. */
const STILL = 4;
/** Room at the top and the bottom that panels take, in pixels. */
const ABOVE = 84;
const BELOW = 60;
/** Below this scale small print is left out, and figures are drawn larger. */
const FAR = 0.5;

export class Camera {
  /** @param {SVGSVGElement} svg @param {SVGGElement} group @param {Box} bounds */
  constructor(svg, group, bounds) {
    this.svg = svg;
    this.group = group;
    this.bounds = bounds;
    this.x = 0;
    this.y = 0;
    this.scale = 1;
    /** The scale, for whoever shows it. */
    this.shown = signal(1);
    /** Whether the pointer that was last down moved. */
    this.dragged = false;
    /** @type {Map<number, { x: number, y: number }>} The pointers that are down. */
    this.down = new Map();
    this.over = new AbortController();
    this.attend();
  }

  end() {
    this.over.abort();
  }

  /** Show all, or, where that would be smaller than `least`, its beginning. @param {number} least */
  fit(least) {
    const room = this.room();
    const [width, height] = [room.width, Math.max(room.height - ABOVE - BELOW, 1)];
    const all = Math.min(width / this.bounds.width, height / this.bounds.height, 1);
    this.scale = Math.max(all, least, LEAST);
    const [wide, high] = [this.bounds.width * this.scale, this.bounds.height * this.scale];
    this.x = (wide > width ? 0 : (width - wide) / 2) - this.bounds.x * this.scale;
    this.y = ABOVE + (high > height ? 0 : (height - high) / 2) - this.bounds.y * this.scale;
    this.apply();
  }

  /** Zoom by a factor, with a point of the screen held still: the middle unless told. @param {number} factor @param {{ x: number, y: number }} [at] */
  zoom(factor, at) {
    const { width, height } = this.room();
    const { x, y } = at ?? { x: width / 2, y: height / 2 };
    const scale = Math.min(Math.max(this.scale * factor, LEAST), MOST);
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.apply();
  }

  /** Move so far that the box can be seen. @param {Box} box */
  reveal(box) {
    const { width, height } = this.room();
    const [left, top] = [this.x + box.x * this.scale, this.y + box.y * this.scale];
    const inside = left > 20 && top > 60 && left + box.width * this.scale < width - 20 && top + box.height * this.scale < height - 60;
    if (inside) return;
    this.x = width / 2 - (box.x + box.width / 2) * this.scale;
    this.y = height / 2 - (box.y + box.height / 2) * this.scale;
    this.apply();
  }

  /** @param {number} x @param {number} y in pixels of the screen */
  pan(x, y) {
    this.x += x;
    this.y += y;
    this.apply();
  }

  apply() {
    this.keepInSight();
    this.group.setAttribute("transform", `translate(${this.x.toFixed(1)} ${this.y.toFixed(1)}) scale(${this.scale.toFixed(4)})`);
    this.svg.classList.toggle("far", this.scale < FAR);
    this.shown.value = this.scale;
  }

  /** The drawing never leaves the screen altogether. */
  keepInSight() {
    const { width, height } = this.room();
    const { bounds, scale } = this;
    this.x = Math.min(Math.max(this.x, 80 - (bounds.x + bounds.width) * scale), width - 80 - bounds.x * scale);
    this.y = Math.min(Math.max(this.y, 80 - (bounds.y + bounds.height) * scale), height - 80 - bounds.y * scale);
  }

  room() {
    return { width: this.svg.clientWidth || 1, height: this.svg.clientHeight || 1 };
  }

  attend() {
    const { signal } = this.over;
    this.svg.addEventListener("wheel", (event) => this.wheel(event), { signal, passive: false });
    this.svg.addEventListener("pointerdown", (event) => this.press(event), { signal });
    this.svg.addEventListener("pointermove", (event) => this.move(event), { signal });
    for (const name of /** @type {const} */ (["pointerup", "pointercancel", "pointerleave"])) {
      this.svg.addEventListener(name, (event) => this.down.delete(event.pointerId), { signal });
    }
  }

  /** The wheel zooms at the pointer; with shift it moves. @param {WheelEvent} event */
  wheel(event) {
    event.preventDefault();
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    if (event.shiftKey) return this.pan(-(event.deltaX + event.deltaY) * pixels, 0);
    this.zoom(Math.exp(-event.deltaY * pixels * (event.ctrlKey ? 0.01 : 0.0015)), this.at(event));
  }

  /** @param {PointerEvent} event */
  press(event) {
    if (event.button !== 0) return;
    this.dragged = false;
    this.down.set(event.pointerId, this.at(event));
  }

  /** One pointer moves the drawing, two zoom it. @param {PointerEvent} event */
  move(event) {
    const before = this.down.get(event.pointerId);
    if (!before) return;
    const now = this.at(event);
    const other = [...this.down].find(([id]) => id !== event.pointerId)?.[1];
    if (!this.dragged && Math.hypot(now.x - before.x, now.y - before.y) < STILL) return;
    if (!this.dragged) this.svg.setPointerCapture(event.pointerId);
    this.dragged = true;
    this.down.set(event.pointerId, now);
    if (other) this.zoom(apart(now, other) / apart(before, other), other);
    else this.pan(now.x - before.x, now.y - before.y);
  }

  /** Where a pointer is on the stage. @param {MouseEvent} event */
  at(event) {
    const { left, top } = this.svg.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }
}

/** @param {{ x: number, y: number }} one @param {{ x: number, y: number }} other */
const apart = (one, other) => Math.max(Math.hypot(one.x - other.x, one.y - other.y), 1);
