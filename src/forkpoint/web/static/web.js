"use strict";
// Live parts of a race's page: fetched while it runs; everything works without this, only slower.

const POLL_MS = 2000;

function live(box) {
  let tag = "";
  let timer = 0;
  const lost = document.getElementById("lost");
  const said = document.getElementById("said");
  const main = document.getElementById("live-main");
  let have = "";

  function swap(target, html) {
    const focused = document.activeElement && target.contains(document.activeElement)
      ? document.activeElement.id : "";
    const left = [...target.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
    const open = [...target.querySelectorAll("details")].map((one) => one.open);
    target.innerHTML = html;  // made and escaped by our own server
    [...target.querySelectorAll(".scroll")].forEach((one, n) => { one.scrollLeft = left[n] || 0; });
    [...target.querySelectorAll("details")].forEach((one, n) => { if (n in open) one.open = open[n]; });
    if (focused) document.getElementById(focused)?.focus();
  }

  async function look() {
    try {
      const reply = await fetch(`${box.dataset.from}&have=${have}`, { headers: tag ? { "If-None-Match": tag } : {} });
      lost.hidden = true;
      if (reply.status === 200) {
        tag = reply.headers.get("etag") || "";
        const found = await reply.json();
        swap(document.getElementById("live-now"), found.now);
        if (found.main !== null) swap(main, found.main);
        have = found.have;
        if (found.said !== said.textContent) said.textContent = found.said;
        box.dataset.live = found.live ? "yes" : "no";
      } else if (reply.status !== 304) {
        location.reload();
        return;
      }
    } catch {
      lost.textContent = box.dataset.lost;
      lost.hidden = false;
    }
    const wait = box.dataset.live === "yes" ? POLL_MS : 4 * POLL_MS;
    timer = setTimeout(look, wait);
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden) look();
  });
  timer = setTimeout(look, POLL_MS);
}

// Dropping a file onto the form.
function drop(zone) {
  const input = zone.querySelector("input[type=file]");
  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.add("over"); });
  }
  for (const kind of ["dragleave", "drop"]) {
    zone.addEventListener(kind, () => zone.classList.remove("over"));
  }
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    input.files = event.dataTransfer.files;
  });
}

// Voting: one key a choice, as long as no text is being typed.
function keys(form) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.matches?.("input, textarea, select")) return;
    const button = form.querySelector(`button[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (button) {
      event.preventDefault();
      button.click();
    }
  });
}

// Answers: what each arm says, as it says it (server-sent events over one POST).
function streams(form) {
  const note = document.getElementById("stream-note");
  const button = form.querySelector("button");
  let running = null;

  function box(arm) {
    return [...document.querySelectorAll(".stream")].find((one) => one.dataset.arm === arm);
  }

  function show(event) {
    if (event.note) note.textContent = event.note;
    const place = event.arm === undefined ? null : box(event.arm);
    if (!place) return;
    document.querySelectorAll(".stream.speaking").forEach((one) => one.classList.remove("speaking"));
    if (!event.done) place.classList.add("speaking");
    if (event.text !== undefined) place.querySelector(".data").textContent = event.text;
    if (event.end !== undefined) place.querySelector(".end").textContent = event.end;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (running) running.abort();
    running = new AbortController();
    document.querySelectorAll(".stream").forEach((one) => {
      one.hidden = !form.querySelector(`input[name=arm][value="${CSS.escape(one.dataset.arm)}"]`)?.checked;
      one.querySelector(".data").textContent = "";
      one.querySelector(".end").textContent = "";
    });
    button.disabled = true;
    note.textContent = form.dataset.loading;
    try {
      const body = new URLSearchParams(new FormData(form));
      const reply = await fetch(form.action, { method: "POST", body, signal: running.signal });
      if (!reply.ok) {
        note.textContent = await reply.text();
        return;
      }
      const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        rest += value;
        const pieces = rest.split("\n\n");
        rest = pieces.pop();
        for (const piece of pieces) {
          if (piece.startsWith("data: ")) show(JSON.parse(piece.slice(6)));
        }
      }
    } catch (error) {
      if (error.name !== "AbortError") note.textContent = form.dataset.lost;
    } finally {
      button.disabled = false;
    }
  });
}

const box = document.getElementById("live");
if (box) live(box);
document.querySelectorAll(".drop").forEach(drop);
document.querySelectorAll("form.ballot").forEach(keys);
document.querySelectorAll("form.ask").forEach(streams);
const waiting = document.querySelector("[data-reload]");
if (waiting) setTimeout(() => location.reload(), Number(waiting.dataset.reload));
