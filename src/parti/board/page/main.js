// The page begins here: learn who is here, then draw the shell and follow the live stream.

import { html, render } from "./html.js";
import { follow } from "./live.js";
import { learn } from "./session.js";
import { Shell } from "./shell.js";
import "./theme.js";
import { tell } from "./toasts.js";

addEventListener("unhandledrejection", (event) => tell(event.reason));

const place = document.getElementById("page");
if (!place) throw new Error("the page has no place to draw in");
await learn().catch(tell);
render(html`<${Shell} />`, place);
follow();
