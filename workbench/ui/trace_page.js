// The gallery: a click on a card's button, or Enter on it, replays the card and shows the verdict.
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-card]");
  if (!button) return;
  trigger("open_card", { card: button.dataset.card });
  document.querySelector("#wb-trace-verdict")?.scrollIntoView({ behavior: "smooth", block: "start" });
});
// A link names a card: it is replayed on arrival, once the language of the page is known.
const asked = new URLSearchParams(window.location.search).get("card");
if (asked) setTimeout(() => trigger("open_card", { card: asked }), 1000);
