// Keeps the site in the browser: the pages at the first visit, Python once a lesson has loaded it.
const scope = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const NAME = `minialex-${new URL(location.href).search.slice(1)}`;

/** @typedef {{pages: string[], runtime: Record<string, string>}} Files of Python the hash by address, so that no other byte is kept */

/** @returns {Promise<Files>} */
async function files() {
  const cache = await caches.open(NAME);
  const kept = (await cache.match("assets/files.json")) ?? (await fetch("assets/files.json"));
  return kept.json();
}

scope.addEventListener("install", (event) => {
  event.waitUntil(caches.open(NAME).then(async (cache) => {
    const { pages } = await (await fetch("assets/files.json", { cache: "no-cache" })).json();
    await cache.addAll(pages);
    await scope.skipWaiting();
  }));
});

scope.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then(async (names) => {
    await Promise.all(names.filter((name) => name.startsWith("minialex-") && name !== NAME).map((name) => caches.delete(name)));
    await scope.clients.claim();
  }));
});

scope.addEventListener("message", (event) => {
  event.waitUntil(files().then(async ({ runtime }) => {
    const cache = await caches.open(NAME);
    for (const [address, integrity] of Object.entries(runtime))
      if (!(await cache.match(address)))
        await cache.add(new Request(address, { integrity })).catch(() => {}); // no network, or another byte: at the next visit
  }));
});

scope.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  const address = event.request.url.replace(/(\/)?(#.*)?$/, (_, slash) => (slash ? "/index.html" : ""));
  event.respondWith(caches.open(NAME).then(async (cache) =>
    (await cache.match(address)) ?? fetch(event.request).catch(() => Response.error())));
});
