// Keeps the part of the page that changes at what the device says. Without this script the page asks anew every two seconds.
"use strict";
(() => {
  const live = document.getElementById("live");
  const gone = document.getElementById("gone");
  // What the program says twice a second was said at most so long ago, or the page is no longer connected.
  const BELIEVED_MS = 1500;
  if (!live || !gone || !window.EventSource) return;

  let heard = performance.now();
  let part = null; // the newest part; none while it is not shown
  let lost = false;

  const show = () => {
    lost = false;
    if (part !== null) live.innerHTML = part;
  };
  const source = new EventSource(live.dataset.events);
  source.addEventListener("part", (event) => {
    heard = performance.now();
    part = event.data;
    show();
  });
  source.addEventListener("alive", () => {
    heard = performance.now();
    if (lost) show();
  });
  source.addEventListener("error", () => {
    // Refused, as after the session's end: the page itself says what is to be done.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 2000);
  });
  setInterval(() => {
    if (!lost && performance.now() - heard > BELIEVED_MS) {
      lost = true;
      live.replaceChildren(gone.content.cloneNode(true));
    }
  }, 200);
})();
