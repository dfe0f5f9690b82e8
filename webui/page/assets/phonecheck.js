// Tries the home's public address from here and tells Hearthgate what came of it. It runs in the check page, or as a worker that
// the portal starts, which is given its task as self.task.
"use strict";
(() => {
  const patience = 13000, greeting = 8000, longest = 512;

  // The first message of a WebSocket can be read whoever sends it, which nothing else can (no CORS is asked for).
  const greet = (url) => new Promise((done) => {
    let socket;
    const end = (text) => {
      clearTimeout(timer);
      if (socket) socket.close();
      done(text);
    };
    const timer = setTimeout(end, greeting, "");
    try {
      socket = new WebSocket(url);
    } catch {
      return end("");
    }
    socket.onmessage = (e) => end(typeof e.data === "string" && e.data.length <= longest ? e.data : "");
    socket.onerror = socket.onclose = () => end("");
  });

  // A browser tells an answer from none. Only where something answers is a WebSocket tried: of those, some browsers open one
  // at a time for each address.
  const look = async (one) => {
    const stop = new AbortController(), timer = setTimeout(() => stop.abort(), patience);
    try {
      const answer = await fetch(one.HTTP, {
        mode: one.Read ? "cors" : "no-cors", cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer", signal: stop.signal,
      });
      const message = one.Read ? (await answer.text()).slice(0, longest) : await greet(one.WS);
      return message ? { seen: "message", message } : { seen: "answer" };
    } catch {
      return { seen: stop.signal.aborted ? "silence" : "error" };
    } finally {
      clearTimeout(timer);
    }
  };

  const run = async (task, step) => {
    const results = [];
    for (let run = 0; run < task.Runs; run++) {
      await Promise.all(task.Tries.map(async (one, n) => {
        results.push({ run, try: n, ...await look(one) });
        step(results.length, task.Runs * task.Tries.length);
      }));
    }
    const answer = await fetch("/check/report", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ nonce: task.Nonce, results }),
    });
    return answer.json();
  };

  if (self.task) {
    run(self.task, () => {}).catch(() => {}).finally(close);
    return;
  }
  const place = document.getElementById("phonecheck"), said = place.querySelector("[role=status]");
  const bar = place.querySelector("progress");
  const say = (kind, text) => {
    said.className = "notice " + kind;
    said.lastElementChild.textContent = text;
    bar.hidden = true;
  };
  bar.hidden = false;
  run(JSON.parse(place.dataset.task), (done, all) => {
    bar.max = all;
    bar.value = done;
  }).then((found) => say(found.kind, found.text), () => say("warning", place.dataset.lost));
})();
