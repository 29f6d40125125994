// The shell around every view: navigation, connection, theme, help, and who is signed in.

import { html, useEffect, useRef, useSignal } from "./html.js";
import { Help } from "./help.js";
import { useShortcuts } from "./keys.js";
import { connection, latest, trouble } from "./live.js";
import { Person } from "./person.js";
import { Prompts } from "./prompts.js";
import { VIEWS, address, go, to, view } from "./routes.js";
import { session, signOut } from "./session.js";
import { SignIn } from "./sign-in.js";
import { theme, turnTheme } from "./theme.js";
import { Toasts } from "./toasts.js";

export function Shell() {
  return html`
    ${session.value.signed_in ? html`<${Inside} />` : html`<${SignIn} />`}
    <${Toasts} />
    <${Prompts} />
  `;
}

function Inside() {
  const helping = useSignal(false);
  useShortcuts([
    ...VIEWS.filter((one) => one.nav).map((one) => ({
      keys: [`g ${one.key}`], words: `Go to ${one.title}`, group: "Everywhere", act: () => go(one.name),
    })),
    { keys: ["t"], words: "Turn the theme: auto, light, dark", group: "Everywhere", act: turnTheme },
    { keys: ["?"], words: "This sheet", group: "Everywhere", act: () => (helping.value = true) },
  ]);
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <header class="bar">
      <a class="brand" href=${to("plan")}><img src="icon.svg" alt="" width="24" height="24" />${session.value.system}</a>
      <${Navigation} />
      <div class="tools">
        <${Standing} />
        <${Person} />
        <button class="tool" onClick=${turnTheme} title="Theme (t)" aria-label=${`Theme: ${theme.value}`}>
          ${{ auto: "◐", light: "☀", dark: "☾" }[theme.value]}
        </button>
        <button class="tool" onClick=${() => (helping.value = true)} title="Keyboard (?)" aria-label="Keyboard shortcuts">?</button>
        ${session.value.asks && html`<button class="plain" onClick=${signOut}>Sign out</button>`}
      </div>
    </header>
    <${Outlet} />
    ${helping.value && html`<${Help} close=${() => (helping.value = false)} />`}
  `;
}

const Navigation = () => html`
  <nav aria-label="Views">
    ${VIEWS.filter((one) => one.nav).map(
      (one) => html`
        <a href=${to(one.name)} aria-current=${one === view.value ? "page" : undefined}>
          ${one.title}${one.name === "questions" && html`<${Waiting} />`}
        </a>
      `,
    )}
  </nav>
`;

/** How many questions wait for a person. */
const Waiting = () => {
  const open = latest.value?.open_questions ?? 0;
  return open ? html`<span class="count" aria-label=${`${open} open`}>${open}</span>` : null;
};

const WORDS = { connecting: "Connecting", live: "Live", lost: "Reconnecting", resting: "Paused" };

/** How the connection stands, in a word and a colour. */
function Standing() {
  const state = trouble.value && connection.value === "live" ? "lost" : connection.value;
  const words = trouble.value && connection.value === "live" ? "No picture" : WORDS[connection.value];
  return html`<span class=${`standing ${state}`} role="status" title=${trouble.value || undefined}>${words}</span>`;
}

/** The view that the address names; focus goes to it when it changes, so that readers of the screen hear of it. */
function Outlet() {
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  const first = useRef(true);
  const { name, rest } = address.value;
  useEffect(() => {
    document.title = [rest || view.value?.title, session.value.system].filter(Boolean).join(" · ");
    if (!first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [name, rest]);
  return html`
    <main id="main" tabindex="-1" ref=${main} class=${`view ${name}`}>
      ${view.value ? html`<${view.value.draw} key=${`${name}/${rest}`} ...${address.value} />` : html`<${Nowhere} />`}
    </main>
  `;
}

const Nowhere = () => html`
  <p class="notice">There is no view of that name. <a href=${to("plan")}>Go to the plan</a></p>
`;

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
