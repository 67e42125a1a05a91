// Of a view's pictures only the one that fits the screen and the colour scheme is in the page: ids are theirs alone.
const narrow = matchMedia("(max-width: 899px)");
const dark = matchMedia("(prefers-color-scheme: dark)");
const views = [...document.querySelectorAll(".view")];
const value = document.getElementById("value");

function show() {
  const shown = value ? value.selectedIndex : 0;
  views.forEach((view, index) => {
    const board = view.querySelector(".board");
    view.hidden = index !== shown;
    if (view.hidden) {
      board.replaceChildren();
      return;
    }
    const screen = narrow.matches ? "narrow" : "wide";
    const scheme = dark.matches ? "dark" : "light";
    const template = view.querySelector(`template[data-screen=${screen}][data-scheme=${scheme}]`);
    board.replaceChildren(template.content.cloneNode(true));
    window.dbtChartHover.mount(board);
  });
}

for (const query of [narrow, dark]) query.addEventListener("change", show);
if (value) value.addEventListener("change", show);
show();
