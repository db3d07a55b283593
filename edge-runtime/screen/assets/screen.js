// Keeps the part of the page that changes at what the device says. Without this script the page asks anew every two seconds.
"use strict";
(() => {
  const live = document.getElementById("live");
  const gone = document.getElementById("gone");
  // What the program says twice a second was said at most so long ago, or the page is no longer connected.
  const BELIEVED_MS = 1500;
  // So long a connection that says nothing is waited for. One whose other end is gone without a word never ends by itself.
  const PATIENCE_MS = 3000;
  // So long after a button has moved a finger may still be meant for what was there before.
  const SETTLED_MS = 1000;
  // How fast two clocks may drift apart.
  const DRIFT = 0.0002;
  if (!live || !gone || !window.EventSource) return;
  // The style hides after four seconds what no script keeps up to date.
  live.classList.add("heard");

  // What stands in the page itself was said when it was asked for, or later.
  let heard = performance.getEntriesByType("navigation")[0]?.requestStart ?? 0;
  let part = null; // the newest part
  let lost = false;

  // The buttons: which case each is for, and where it is on the page.
  const places = () =>
    Array.from(live.querySelectorAll("input[name=case]"), ({ value, form }) => {
      const { left, top } = form.getBoundingClientRect();
      return { value, left: left + window.scrollX, top: top + window.scrollY };
    });
  let buttons = places();
  let moved = performance.now();
  const isAt = (one, other) =>
    one.value === other.value && Math.abs(one.left - other.left) < 16 && Math.abs(one.top - other.top) < 16;

  const show = () => {
    lost = false;
    if (part === null) return;
    live.innerHTML = part;
    const now = places();
    if (now.length !== buttons.length || !now.every((button, at) => isAt(button, buttons[at]))) {
      moved = performance.now();
    }
    buttons = now;
  };
  const lose = () => {
    if (lost) return;
    lost = true;
    buttons = [];
    live.replaceChildren(gone.content.cloneNode(true));
  };
  live.addEventListener("submit", (event) => {
    if (performance.now() - moved < SETTLED_MS) event.preventDefault();
  });

  // By how much this clock is before the program's where nothing was held up on the way.
  let least = Infinity;
  let newest = 0;
  let compared = performance.now();
  // Whether a connection's first words came soon after it was asked for. Where all were late, nothing is punctual beside them.
  let anchored = false;
  let first = true;
  let connected = performance.now();
  // Whether what was said then came at once: a slow link delivers what was true long ago, in order.
  const isPunctual = (said) => {
    const now = performance.now();
    // Its machine was started anew, and its clock with it.
    if (said < newest) [least, anchored] = [Infinity, false];
    if (first && now - connected <= BELIEVED_MS) anchored = true;
    first = false;
    least = Math.min(least + (now - compared) * DRIFT, now - said);
    newest = said;
    compared = now;
    return anchored && now - said - least <= BELIEVED_MS;
  };

  const hear = (said, isNew) => {
    if (!isPunctual(Number(said))) return lose();
    heard = performance.now();
    if (isNew || lost) show();
  };
  const asks = () => [first, connected] = [true, performance.now()];
  const connect = () => {
    asks();
    const source = new EventSource(live.dataset.events);
    source.addEventListener("part", (event) => {
      part = event.data;
      hear(event.lastEventId, true);
    });
    source.addEventListener("alive", (event) => hear(event.data, false));
    source.addEventListener("error", () => {
      // Refused, as after the session's end: the page itself says what is to be done.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 2000);
      else asks();
    });
    return source;
  };
  let source = connect();
  const check = () => {
    const now = performance.now();
    if (now - heard > BELIEVED_MS) lose();
    if (now - Math.max(heard, connected) > PATIENCE_MS) {
      source.close();
      source = connect();
    }
  };
  check();
  setInterval(check, 200);
})();
