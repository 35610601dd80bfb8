// What the pages cannot do without a script: copy a text, tick all rows, ask before
// something is lost, and keep the focus in sight. Everything else is the server's.
(() => {
  "use strict";

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Press Ctrl+C";
      const shown = document.getElementById(button.getAttribute("aria-describedby"));
      if (shown) getSelection().selectAllChildren(shown);
    }
    setTimeout(() => { button.textContent = before; }, 2000);
  });

  document.addEventListener("change", (event) => {
    const all = event.target.closest("[data-all]");
    if (!all) return;
    for (const box of document.querySelectorAll(`input[type=checkbox][name="${all.dataset.all}"]`)) {
      if (!box.disabled && !box.closest("li[hidden]")) box.checked = all.checked; // not what the filter hides
    }
  }, true); // before htmx sends what is ticked

  // Buttons for what is ticked wait for a tick. Back comes to a page as it was left.
  const wait = () => {
    for (const part of document.querySelectorAll("[data-needs]")) {
      const ticked = document.querySelector(`input[type=checkbox][name="${part.dataset.needs}"]:checked`);
      for (const button of part.querySelectorAll("button")) button.disabled = !ticked;
    }
  };
  for (const moment of ["DOMContentLoaded", "change", "htmx:load"]) document.addEventListener(moment, wait);
  addEventListener("pageshow", wait);

  // Filters fold where there is little room, unless one is set.
  const narrow = matchMedia("(max-width: 48rem)");
  const fold = () => {
    for (const part of document.querySelectorAll("details[data-fold]")) part.open = !narrow.matches || part.dataset.fold === "open";
  };
  fold();
  narrow.addEventListener("change", fold);

  // What was done is not to be sent again by a reload: the page takes another address.
  document.addEventListener("DOMContentLoaded", () => {
    const at = document.querySelector("[data-address]");
    if (at) history.replaceState(null, "", at.dataset.address);
  });

  // A list of ticks is filtered in place, so that nothing ticked is lost. Without a
  // script there is no field to filter with.
  const unhide = (part) => part.querySelectorAll?.(".filter[hidden]").forEach((label) => { label.hidden = false; });
  document.addEventListener("DOMContentLoaded", () => unhide(document));
  document.addEventListener("htmx:load", (event) => unhide(event.target));
  document.addEventListener("keydown", (event) => { // Enter would send the form
    if (event.key === "Enter" && event.target.dataset?.filter) event.preventDefault();
  });
  document.addEventListener("input", (event) => {
    const list = document.getElementById(event.target.dataset.filter ?? "");
    if (!list) return;
    const words = event.target.value.toLowerCase().split(/\s+/);
    for (const item of list.children) {
      const text = item.textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
    }
  });

  // What the form before a page did is said once: not again when the page is reloaded.
  const here = new URL(location.href);
  if (here.searchParams.has("said")) {
    here.searchParams.delete("said");
    history.replaceState(history.state, "", here);
  }

  document.addEventListener("submit", (event) => {
    const asked = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
    if (asked && !confirm(asked)) event.preventDefault();
  });
})();
