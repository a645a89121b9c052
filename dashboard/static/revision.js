// One key per label. Without this file the form works as any other.
"use strict";

document.addEventListener("keydown", (event) => {
  const form = document.querySelector("form[data-keys]");
  if (!form || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.closest("select, textarea, input:not([type=radio]), [contenteditable]")) return;
  if (event.key === "Enter" && event.target.matches("body, main, input[type=radio]")) {
    event.preventDefault();
    form.requestSubmit();
    return;
  }
  const choice = form.querySelector(`input[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!choice) return;
  event.preventDefault();
  choice.checked = true;
  choice.focus();
});
