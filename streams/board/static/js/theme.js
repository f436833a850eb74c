// The theme, set before anything is drawn. No module: those run too late, and the page would flash.
(() => {
  const themes = ["auto", "light", "dark"];
  let stored = null;
  try {
    stored = localStorage.getItem("theme");
  } catch {
    // A browser that keeps nothing for us shows its own theme.
  }
  const show = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  };
  let theme = themes.includes(stored) ? stored : "auto";
  show(theme);
  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    const name = () => { button.textContent = `Theme: ${theme}`; };
    name();
    button.addEventListener("click", () => {
      theme = themes[(themes.indexOf(theme) + 1) % themes.length];
      show(theme);
      name();
      try {
        localStorage.setItem("theme", theme);
      } catch {
        // Then it holds until the page is left.
      }
    });
  });
})();
