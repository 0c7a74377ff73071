"use strict";

// What the terminal's own script, textual.js of textual-serve, leaves to the page around it.  It tells by classes
// of the body how far it is: -loaded (connected), -first-byte (something is drawn), -closed (the connection ended).

const FACES = ["16px", "bold 16px", "italic 16px", "italic bold 16px"];

async function begin() {
  // The terminal measures its letters once, so they have to be there before it.
  await Promise.allSettled(FACES.map((face) => document.fonts.load(`${face} "Roboto Mono"`)));
  const script = document.createElement("script");
  script.src = "/static/textual.js";
  // It waits for the page to be loaded, which is over by now.
  script.onload = () => window.onload(new Event("load"));
  document.head.append(script);
}

function isConnected() {
  const classes = document.body.classList;
  return classes.contains("-loaded") && !classes.contains("-closed");
}

function watch() {
  let hasDrawn = false;
  new MutationObserver(() => {
    const classes = document.body.classList;
    if (!hasDrawn && classes.contains("-first-byte")) {
      hasDrawn = true;
      document.querySelector(".xterm-helper-textarea")?.focus();
    }
    if (classes.contains("-closed")) {
      document.getElementById("again").focus();
    }
  }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
}

// Ctrl+W deletes a word in a terminal and closes a tab here, with the app in it.
window.addEventListener("beforeunload", (event) => {
  if (isConnected()) {
    event.preventDefault();
  }
});
window.addEventListener("load", begin);
document.getElementById("again").addEventListener("click", () => window.location.reload());
watch();
