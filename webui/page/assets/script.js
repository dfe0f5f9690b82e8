// What is live on a page. Everything else works without it.
"use strict";
(() => {
  const body = document.body, quiet = 1000, slow = 15000;
  let stream, timer, busy = false, owed = false, last = 0;

  // Both sides are ours; the page that was fetched is only read, never run.
  const swap = (old, now) => {
    if (!now || old.isEqualNode(now)) return;
    const other = old.dataset.live !== now.dataset.live; // another thing: it goes, whoever is in it
    const held = old.contains(document.activeElement);
    if (held && !other) {
      owed = true;
      return;
    }
    const open = new Set([...old.querySelectorAll("details[open] > summary")].map((s) => s.textContent));
    for (const s of now.querySelectorAll("details > summary")) if (open.has(s.textContent)) s.parentNode.open = true;
    if (old.isEqualNode(now)) return;
    if (old.className !== now.className) old.className = now.className;
    old.dataset.live = now.dataset.live;
    old.replaceChildren(...document.importNode(now, true).childNodes);
    if (!held) return;
    const title = document.querySelector("h1");
    title.tabIndex = -1;
    title.focus();
  };

  const look = async () => {
    clearTimeout(timer);
    timer = setTimeout(look, slow);
    if (document.hidden || busy) return;
    busy = true;
    owed = false;
    last = Date.now();
    try {
      const answer = await fetch(body.dataset.from || location.href, { cache: "no-store" });
      if (answer.redirected) return location.assign(answer.url);
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const old of document.querySelectorAll("[data-live]")) swap(old, page.getElementById(old.id));
    } catch { // away for a moment; the next look tries again
    } finally {
      busy = false;
    }
  };

  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(look, Math.max(50, last + quiet - Date.now()));
  };

  const listen = () => {
    if (stream) stream.close();
    stream = undefined;
    clearTimeout(timer);
    if (document.hidden) return;
    timer = setTimeout(look, slow);
    stream = new EventSource(body.dataset.eventsUrl);
    for (const type of (body.dataset.eventTypes || "message").split(" ")) stream.addEventListener(type, soon);
  };

  if (body.dataset.eventsUrl && document.querySelector("[data-live]")) {
    listen();
    document.addEventListener("visibilitychange", () => {
      listen();
      if (!document.hidden) soon();
    });
    addEventListener("pagehide", () => stream && stream.close());
    addEventListener("pageshow", (e) => e.persisted && (listen(), soon()));
    document.addEventListener("focusout", () => owed && soon());
  }

  document.addEventListener("focusin", (e) => {
    if (e.target.matches("[data-copy]")) e.target.select();
  });

  const { leave, worker } = body.dataset;
  if (leave) addEventListener("pagehide", () => navigator.sendBeacon(leave, new URLSearchParams()));
  if (worker) setTimeout(() => new Worker(worker), 3000);
})();
