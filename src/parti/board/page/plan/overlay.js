// The overlay: figures on each part and arrow of the drawing, one element each, changed in place.

/** @import { ArrowFigures, Finding, PartFigures, Picture } from "../types.js" */
/** @import { Arrow, Box, Drawing } from "./drawing.js" */
import { duration, percent, rate, short, spend } from "../format.js";
import { created } from "./drawing.js";

const HIGH = 18;
const PAD = 8;
/** The width of a letter of a tag, at its size of 10.5 pixels, on the wide side. */
const LETTER = 6;
/** Between two figures of a tag. */
const DOT = " · ";
/** How far a tag may reach beyond its part. */
const BEYOND = 14;
/** The room that even a short arrow has for a tag. */
const LEAST = 46;

/** A tag: a small pill with words, over a point of the drawing. */
class Tag {
  /** @param {Element} at what it lies on @param {string} style @param {{ x: number, y: number }} middle @param {string} anchor */
  constructor(at, style, middle, anchor) {
    this.anchor = anchor;
    this.group = created("g", `tagged ${style}`);
    this.pill = created("rect", "pill");
    this.pill.setAttribute("height", HIGH);
    this.pill.setAttribute("y", -HIGH / 2);
    this.pill.setAttribute("rx", HIGH / 2);
    this.words = created("text", "words");
    this.words.setAttribute("y", 3.6);
    this.words.setAttribute("text-anchor", "middle");
    this.inner = created("g", "tag-inner");
    this.inner.append(this.pill, this.words);
    this.group.append(this.inner);
    this.group.setAttribute("transform", `translate(${middle.x.toFixed(1)} ${middle.y.toFixed(1)})`);
    this.group.setAttribute("aria-hidden", "true");
    this.said = "";
    at.append(this.group);
  }

  /** @param {string} words "" hides it */
  say(words) {
    if (words === this.said) return;
    this.said = words;
    const wide = width(words);
    const left = this.anchor === "start" ? 0 : -wide / 2;
    this.group.classList.toggle("silent", !words);
    this.pill.setAttribute("width", wide);
    this.pill.setAttribute("x", left);
    this.words.setAttribute("x", left + wide / 2);
    this.words.textContent = words;
  }
}

export class Overlay {
  /** @param {Drawing} drawing */
  constructor(drawing) {
    this.drawing = drawing;
    this.parts = new Map(
      [...drawing.parts].map(([name, { group, box }]) => [name, new Tag(group, "on-part", foot(box), "start")]),
    );
    /** How many findings a part has, by its name. @type {Map<string, number>} */
    this.found = new Map();
    this.arrows = drawing.arrows.map((arrow) => ({
      arrow,
      room: Math.max(arrow.line.getBBox().width, LEAST),
      tag: new Tag(arrow.group, "on-arrow", half(arrow.line), "middle"),
    }));
  }

  /** @param {Picture} picture */
  show(picture) {
    for (const figures of picture.parts) this.showPart(figures);
    for (const { arrow, room, tag } of this.arrows) {
      const flows = picture.arrows.filter((figures) => isOf(figures, arrow));
      tag.say(fitted(ofArrow(flows), room));
      mark(arrow.group, flows.some((one) => Boolean(one.rate_per_second)), flows.some((one) => one.failed_just_now), false);
    }
  }

  /** Mark the parts that something is wrong with, as declared. @param {Finding[]} findings those that count, the worst first */
  judge(findings) {
    for (const [name, { group, box }] of this.drawing.parts) {
      const own = findings.filter((one) => one.on === name);
      if (!own[0]) continue;
      this.found.set(name, own.length);
      group.classList.add("found-wrong", `found-${own[0].severity}`);
      new Tag(group, "on-corner", { x: box.x + box.width - PAD, y: box.y }, "middle").say(`⚑ ${own.length}`);
    }
  }

  /** @param {PartFigures} figures */
  showPart(figures) {
    const part = this.drawing.parts.get(figures.name);
    if (!part) return;
    const figured = ofPart(figures);
    this.parts.get(figures.name)?.say(fitted(figured, part.box.width + BEYOND));
    mark(part.group, Boolean(figures.rate_per_second), figures.failed_just_now, figures.over_slo === true);
    part.group.setAttribute("aria-label", [figures.kind, figures.name, ...this.judged(figures.name), ...figured.map(([words]) => words)].join(", "));
  }

  /** @param {string} name */
  judged(name) {
    const count = this.found.get(name);
    return count ? [`${count} ${count === 1 ? "finding" : "findings"}`] : [];
  }
}

/** What a tag says, as [figure, how soon it goes where there is no room], in the order of reading. @typedef {[string, number]} Figure */

/** @param {PartFigures} figures @returns {Figure[]} */
function ofPart(figures) {
  const { rate_per_second, p50_seconds, p99_seconds, queue, error_share, failed, usd_per_second } = figures;
  const slow = figures.over_slo ? " ▲" : "";
  return chosen([
    [rate_per_second && rate(rate_per_second), 1],
    [p50_seconds !== null && p50_seconds !== p99_seconds && `p50 ${duration(p50_seconds)}`, 4],
    [p99_seconds !== null && `p99 ${duration(p99_seconds)}${slow}`, slow ? 0 : 2],
    [queue && `${figures.queue_exact ? "" : "≥"}${short(queue)} ${figures.kind === "person" ? "open" : "queued"}`, 2],
    [failed && `✕ ${error_share ? percent(error_share) : short(failed)}`, 0],
    [usd_per_second && spend(usd_per_second), 3],
  ]);
}

/** @param {ArrowFigures[]} flows those that one line of the drawing stands for @returns {Figure[]} */
function ofArrow(flows) {
  const sum = (/** @type {(one: ArrowFigures) => number | null} */ of) => flows.reduce((all, one) => all + (of(one) ?? 0), 0);
  const [perSecond, queue, failed] = [sum((one) => one.rate_per_second), sum((one) => one.queue), sum((one) => one.failed)];
  const [slowest, usd] = [Math.max(...flows.map((one) => one.p99_seconds ?? 0)), sum((one) => one.usd_per_second)];
  return chosen([
    [perSecond && rate(perSecond), 1],
    [slowest > 0 && `p99 ${duration(slowest)}`, 3],
    [queue && `${short(queue)} queued`, 2],
    [failed && `✕ ${short(failed)}`, 0],
    [usd && spend(usd), 4],
  ]);
}

/** @param {[string | number | null | false, number][]} figures */
const chosen = (figures) => /** @type {Figure[]} */ (figures.filter(([words]) => words));

/** The figures that fit into so many pixels; what matters least goes first. @param {Figure[]} figures @param {number} room */
function fitted(figures, room) {
  let kept = figures;
  const words = () => kept.map(([one]) => one).join(DOT);
  while (kept.length > 1 && width(words()) > room) {
    const least = Math.max(...kept.map(([, rank]) => rank));
    kept = kept.toSpliced(kept.findLastIndex(([, rank]) => rank === least), 1);
  }
  return words();
}

/** @param {string} words */
const width = (words) => words.length * LETTER + 2 * PAD;

/** Lines point the way that data goes, arrows of the design from who uses to what is used. @param {ArrowFigures} figures @param {Arrow} arrow */
const isOf = (figures, arrow) =>
  arrow.kinds.includes(figures.kind) &&
  ((figures.source === arrow.source && figures.target === arrow.target) ||
    (figures.source === arrow.target && figures.target === arrow.source));

/** @param {Element} group @param {boolean} busy @param {boolean} failing @param {boolean} slow */
function mark(group, busy, failing, slow) {
  group.classList.toggle("busy", busy);
  group.classList.toggle("failing", failing);
  group.classList.toggle("slow", slow);
}

/** @param {Box} box */
const foot = (box) => ({ x: box.x + 10, y: box.y + box.height + 4 });

/** @param {SVGPathElement} line */
const half = (line) => line.getPointAtLength(line.getTotalLength() / 2);
