// Browsers load no modules of pages that are opened from the disk; this script they do.

if (location.protocol === "file:") {
  document.getElementById("status").textContent =
    "Open this page from a server. In its folder: python -m http.server; then http://127.0.0.1:8000";
}
