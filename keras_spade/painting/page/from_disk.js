// Browsers do not load modules for pages opened from disk, but they load this script.

if (location.protocol === "file:") {
  document.getElementById("status").textContent =
    "Open this page from a server. In its folder: python -m http.server; then http://127.0.0.1:8000";
}
