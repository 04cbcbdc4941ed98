// Every page: keep the site for a visit without a network.
const build = /** @type {HTMLMetaElement} */ (document.querySelector("meta[name=build]")).content;
navigator.serviceWorker?.register(new URL(`sw.js?${build}`, document.baseURI)).catch(() => {}); // http without s: no worker
