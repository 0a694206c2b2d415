// Conversations: their addresses and the list of them, what is asked again, the picture of a
// timeline, remarks. Added to what page.js has.
(() => {
  "use strict";
  const page = window.ragPage;
  const closest = (event, selector) =>
    event.target instanceof Element ? event.target.closest(selector) : null;
  let wanted = null; // key of the answer to come into view when it is there

  // What the address and this browser say when the page opens.
  function arrival(chosen) {
    const asked = new URLSearchParams(location.search);
    wanted = asked.get("answer");
    if (history.state?.article) history.replaceState(null, "");
    let index = "";
    try {
      index = localStorage.getItem("rag-index") || "";
    } catch { /* not allowed here: nothing is remembered */ }
    const told = { index, conversation: asked.get("conversation") || "", answer: wanted || "" };
    return [told, chosen];
  }

  function remember(index) {
    try {
      localStorage.setItem("rag-index", index || "");
    } catch { /* not allowed here */ }
  }

  // The address follows what is asked: a new entry for another conversation only.
  let address = location.search;
  function go(to, method = "pushState") {
    address = to.includes("?") ? to : "";
    history[method](method === "pushState" ? null : history.state, "", to);
  }

  function readdress() {
    if (location.search !== address) go(address || location.pathname, "replaceState");
  }

  function conversationOf(search) {
    return new URLSearchParams(search).get("conversation") || "";
  }

  // Another turn is the last one: asked just now, or of a conversation that was opened.
  function arrived(turn) {
    if (turn.getAttribute("aria-busy") === "true") {
      wanted = null;
      const to = turn.dataset.address;
      const same = conversationOf(to) === conversationOf(location.search);
      if (to) go(to, same ? "replaceState" : "pushState");
    }
    if (!wanted) turn.scrollIntoView({ block: "start" });
  }

  function bring(element) {
    const turn = wanted && element.querySelector(`.turn[data-key="${CSS.escape(wanted)}"]`);
    if (turn) turn.scrollIntoView({ block: "start" });
  }

  // What a conversation needs beside its passages.
  function attach(element, trigger, watch) {
    watch("value", () => requestAnimationFrame(() => bring(element)));
    element.addEventListener("click", (event) => {
      const again = closest(event, "[data-again]");
      if (again) trigger("retry", { again: again.dataset.again });
      if (closest(event, "[data-print]")) window.print();
      const follow = closest(event, "[data-follow]");
      if (follow) trigger("like", { follow: Number(follow.dataset.follow) });
      const link = closest(event, "a.address");
      if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
        event.preventDefault();
        go(link.getAttribute("href"), "replaceState");
        link.closest(".turn").scrollIntoView({ block: "start" });
      }
    });
    element.addEventListener("submit", (event) => {
      const form = closest(event, ".wrong form");
      if (!form) return;
      event.preventDefault();
      const [remark, right] = ["remark", "right"].map((name) => form.elements[name].value);
      if (!remark.trim() && !right.trim()) return form.elements.remark.focus();
      trigger("edit", { turn: Number(form.dataset.turn), remark, right });
    });
    dated(element);
  }

  // A timeline: its items of the days chosen, by a dot or from dot to dot.
  function dated(element) {
    let from = null;
    const dots = (box) => [...box.querySelectorAll(".dot")];
    const choose = (box, days) => {
      const [first, last] = days.length ? [days[0], days.at(-1)] : ["", "9999"];
      const items = [...box.querySelectorAll("ol.items > li")];
      items.forEach((item) => {
        const day = item.dataset.day || "";
        item.hidden = days.length > 0 && !(day >= first && day <= last);
      });
      dots(box).forEach((dot) => {
        const inside = days.length > 0 && dot.dataset.day >= first && dot.dataset.day <= last;
        dot.setAttribute("aria-pressed", String(inside));
      });
      const n = items.filter((item) => !item.hidden).length;
      const told = box.querySelector(".chosen-days span");
      box.dataset.hint ||= told.textContent;
      told.textContent = days.length ? `${n} of ${items.length} items.` : box.dataset.hint;
      box.querySelector(".all-items").hidden = !days.length;
    };
    const between = (a, b) => [a.dataset.day, b.dataset.day].sort();
    element.addEventListener("pointerdown", (event) => (from = closest(event, ".dot")));
    element.addEventListener("pointerup", (event) => {
      const to = closest(event, ".dot");
      if (from && to && from !== to) choose(to.closest(".dated"), between(from, to));
    });
    const press = (event) => {
      const dot = closest(event, ".dot");
      if (!dot) return;
      const box = dot.closest(".dated");
      const pressed = [...box.querySelectorAll('.dot[aria-pressed="true"]')];
      const anchor = event.shiftKey && pressed[0];
      const again = pressed.length === 1 && pressed[0] === dot;
      choose(box, again ? [] : between(anchor || dot, dot));
    };
    element.addEventListener("click", (event) => {
      press(event);
      const all = closest(event, ".all-items");
      if (all) choose(all.closest(".dated"), []);
    });
    element.addEventListener("keydown", (event) => {
      if ((event.key !== "Enter" && event.key !== " ") || !closest(event, ".dot")) return;
      event.preventDefault();
      press(event);
    });
  }

  // The list of conversations.
  function conversations(element, trigger) {
    const tell = (action, key = "", name = "") => trigger("select", { action, key, name });
    element.addEventListener("click", (event) => {
      const button = closest(event, "[data-talk]");
      if (!button) return;
      const { talk, key, name } = button.dataset;
      if (talk === "rename") {
        const given = prompt("Name of the conversation", name);
        if (given?.trim()) tell(talk, key, given);
        return;
      }
      if (talk === "delete" && !confirm(`Delete “${name}”?`)) return;
      if (talk === "delete_all" && !confirm("Delete all conversations of this browser?")) return;
      const leaves = talk !== "delete" || key === conversationOf(location.search);
      if (leaves) {
        history.replaceState(null, ""); // an open article goes without a step back
        document.querySelector("#panel .close-article")?.click();
      }
      wanted = null;
      if (leaves) go(talk === "open" ? `?conversation=${key}` : location.pathname);
      tell(talk, key);
      document.querySelector("#question textarea")?.focus({ preventScroll: true });
    });
    window.addEventListener("popstate", () => setTimeout(() => {
      if (page.closedArticle() || history.state?.article) return;
      address = location.search;
      wanted = new URLSearchParams(address).get("answer");
      const key = conversationOf(address);
      const shown = conversationOf(document.querySelector("#current .turn")?.dataset.address);
      if (key !== shown) tell(key ? "open" : "new", key);
      else bring(document.querySelector("#talk"));
    }));
  }

  // What the next question is narrowed to.
  function narrowed(element, trigger) {
    element.addEventListener("click", (event) => {
      const part = closest(event, "[data-taken]");
      if (!part) return;
      trigger("clear", { taken: part.dataset.taken });
      document.querySelector("#question textarea")?.focus({ preventScroll: true });
    });
  }

  // Answers that were called wrong.
  function remarks(element, trigger) {
    element.addEventListener("click", (event) => {
      const { forget, name } = closest(event, "[data-forget]")?.dataset ?? {};
      if (forget && confirm(`Delete the remark on “${name}”?`)) trigger("delete", { id: forget });
    });
  }

  // What became of a remark: {turn, told}; or of a question to be followed: {follow, told}.
  function noted(answer) {
    if (answer?.follow) {
      const button = document.querySelector(`[data-follow="${answer.follow}"]`);
      if (button) button.textContent = answer.told;
    }
    const form = answer && document.querySelector(`.wrong form[data-turn="${answer.turn}"]`);
    if (!form) return;
    const told = document.createElement("p");
    told.setAttribute("role", "status");
    told.textContent = answer.told;
    form.replaceChildren(told);
    form.closest("details").querySelector("summary").focus();
  }

  // Menus close when something else is chosen.
  document.addEventListener("click", (event) => {
    const inside = closest(event, ".menu");
    const within = inside && !closest(event, ".menu button:not([type=submit])");
    document.querySelectorAll(".menu[open]").forEach((menu) => {
      if (menu !== inside || !within) menu.open = false;
    });
  });
  document.addEventListener("toggle", (event) => {
    const menu = event.target.open && closest(event, ".menu");
    if (menu) menu.lastElementChild.scrollIntoView({ block: "nearest" });
  }, true);
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && closest(event, ".menu[open]");
    if (!menu) return;
    event.stopPropagation();
    menu.open = false;
    menu.querySelector("summary").focus();
  }, true);

  Object.assign(page, { narrowed, remarks, arrival, remember, readdress, arrived, attach, conversations, noted });
})();
