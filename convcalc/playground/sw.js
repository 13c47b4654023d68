// The files of the playground, kept for later visits: each is fetched again only if its content has changed.
const FILES = $files // SHA-256 by name
const NAME = 'convcalc-playground'
const url = name => new URL(name, self.registration.scope)
const key = name => { const at = url(name); at.searchParams.set('sha256', FILES[name]); return at.href }

const fill = async () => {
  const cache = await caches.open(NAME)
  await Promise.all(Object.keys(FILES).map(async name => {
    if (await cache.match(key(name))) return
    const reply = await fetch(url(name), { cache: 'no-cache', integrity: `sha256-${FILES[name]}` })
    if (!reply.ok) throw new Error(`${name}: ${reply.status}`)
    await cache.put(key(name), reply)
  }))
}
const drop = async () => {
  const cache = await caches.open(NAME), kept = new Set(Object.keys(FILES).map(key))
  for (const each of await cache.keys()) if (!kept.has(each.url)) await cache.delete(each)
}

self.addEventListener('install', event => event.waitUntil(fill()))
self.addEventListener('activate', event => event.waitUntil(drop()))
self.addEventListener('fetch', event => {
  const asked = new URL(event.request.url), scope = self.registration.scope
  if (event.request.method !== 'GET' || !asked.href.startsWith(scope)) return
  const name = (asked.origin + asked.pathname).slice(scope.length) || 'index.html'
  if (!Object.hasOwn(FILES, name)) return
  event.respondWith(caches.open(NAME).then(cache => cache.match(key(name))).then(kept => kept ?? fetch(event.request)))
})
