// The page's only script: live updates, a theme switch, and `/` to search. The page works without it.
"use strict";
(() => {
  const root = document.documentElement;
  const stored = localStorage.getItem("theme");
  if (stored) root.dataset.theme = stored;
  const button = document.createElement("button");
  button.className = "theme";
  button.type = "button";
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const label = () => { button.textContent = dark() ? "Light" : "Dark"; };
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
    label();
  });
  label();
  document.querySelector(".top")?.append(button);

  const live = document.querySelector("[data-live]");
  let source = null;
  const open = () => {
    if (!live || source || document.hidden) return;
    source = new EventSource("/ui/events");
    source.addEventListener("live", (event) => {
      // Whoever is reading with the keyboard keeps the place.
      if (live.contains(document.activeElement) && document.activeElement !== document.body) return;
      live.innerHTML = event.data;
    });
  };
  const close = () => { source?.close(); source = null; };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  open();

  document.addEventListener("keydown", (event) => {
    const field = document.querySelector("[data-search]");
    if (event.key === "/" && field && document.activeElement?.tagName !== "INPUT") {
      event.preventDefault();
      field.focus();
    }
  });
})();
