// The theme: the system's until someone chooses, then what was chosen, on every page. Loaded in the head, so that a page
// kept dark does not flash white before its first paint.
"use strict";

{
  const root = document.documentElement, system = matchMedia("(prefers-color-scheme: dark)");
  try { root.dataset.theme = localStorage.getItem("theme") || ""; } catch {} // storage may be forbidden
  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
    const label = () => { button.textContent = dark() ? "Light theme" : "Dark theme"; };
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      try { localStorage.setItem("theme", root.dataset.theme); } catch {}
      label();
    });
    system.addEventListener("change", label);
    label();
    button.hidden = false;
  });
}
