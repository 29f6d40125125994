// The colour scheme, set before anything is painted; `theme.js` has the rest.
(() => {
  const kept = localStorage.getItem("parti-theme");
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = kept === "dark" || (kept !== "light" && dark) ? "dark" : "light";
})();
