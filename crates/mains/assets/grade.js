"use strict";
// A key presses its button, once.
document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const button = [...document.querySelectorAll("button[name=said]")].find((one) => one.value === event.key.toLowerCase());
  if (button) button.click();
});
