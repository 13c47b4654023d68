(() => {
'use strict'
const d = document, all = (s, e = d) => [...e.querySelectorAll(s)], root = d.documentElement
root.classList.add('js')
const make = (tag, more, ...inside) => { const e = Object.assign(d.createElement(tag), more); e.append(...inside); return e }

// the report as `report --json` writes it
const value = (c, i) => Array.isArray(c) ? c[i] : c.pool ? c.pool[c.at[i]] : object(c.of, i)
const object = (columns, i) => Object.fromEntries(Object.entries(columns).filter(([, c]) => !c.pool || c.at[i] >= 0).map(([k, c]) => [k, value(c, i)]))
const rebuilt = r => {
  if (!r.layers) return r
  const { count, name, lead, kind, kinds } = r.layers, layers = []
  for (let i = 0, last = ''; i < count; i++) {
    last = last.slice(0, value(lead, i)) + value(name, i)
    const l = { name: last, ...object(kinds, kind[i]) }
    layers.push(l)
    l.inputs = l.inputs.map(s => typeof s === 'string' ? s : layers[i - s].name)
  }
  return { ...r, layers }
}
const exact = (k, v, c) => typeof v === 'number' && !Number.isSafeInteger(v) && /^-?\d+$/.test(c?.source) && JSON.rawJSON ? JSON.rawJSON(c.source) : v
const whole = () => { const r = JSON.parse(d.getElementById('data').textContent, exact); return Array.isArray(r) ? r.map(rebuilt) : rebuilt(r) }
const save = make('button', { className: 'save', type: 'button', textContent: 'JSON' })
save.title = 'Save the numbers as JSON'
save.onclick = () => {
  const url = URL.createObjectURL(new Blob([JSON.stringify(whole(), null, 1)], { type: 'application/json' }))
  make('a', { href: url, download: 'report.json' }).click()
  setTimeout(() => URL.revokeObjectURL(url), 1e4)
}
d.querySelector('h1').before(save)

// colours of a section's pictures
const kinds = ['by-m', 'by-p', 'by-a']
for (const b of all('.switch button')) b.onclick = () => {
  for (const x of all('button', b.parentNode)) x.setAttribute('aria-pressed', x === b)
  for (const e of all('.by-m,.by-p,.by-a', b.closest('section'))) { e.classList.remove(...kinds); e.classList.add('by-' + b.value) }
}

// what a pointer hits in a column
for (const g of all('svg.skyline g[data-at]')) {
  const bar = g.querySelector('path[d],rect'), s = bar.ownerSVGElement, width = s.getAttribute('stroke-width')
  if (bar.matches('.activations')) continue
  const hit = d.createElementNS(s.namespaceURI, 'rect'), x = bar.getAttribute('x') ?? parseFloat(bar.getAttribute('d').slice(1)) - width / 2
  for (const [k, v] of Object.entries({ class: 'hit', x, y: 22, width: bar.getAttribute('width') ?? width, height: s.viewBox.baseVal.height - 22 })) hit.setAttribute(k, v)
  g.prepend(hit)
}

// a row without a line of the source has that of the row before
for (const t of all('table.layers')) {
  let line = ''
  for (const r of t.tBodies[0].rows) r.dataset.line = line = r.dataset.line ?? line
}

// one layer in every picture, in the tables and in the source
const views = all('svg.picture,table').map(v => {
  const m = new Map
  for (const e of all('[data-at]', v)) m.has(e.dataset.at) ? m.get(e.dataset.at).push(e) : m.set(e.dataset.at, [e])
  // equal neighbours that are drawn once, "block2 … block6" or "block2.conv1 … block6.conv1": [stem, first, last]
  const runs = all('title', v).map(t => /^(.*?)(\d+)(\..*)? … \1(\d+)\3( ×.*)?$/m.exec(t.textContent)).filter(x => x).map(x => [x[1], x[2], x[4]])
  return [v, m, runs]
})
const found = (m, runs, p) => {
  for (const [stem, first, last] of runs) {
    const n = p.startsWith(stem) && /^\d+/.exec(p.slice(stem.length))
    if (n && +n[0] >= +first && +n[0] <= +last) p = stem + first + p.slice(stem.length + n[0].length)
  }
  if (m.has(p)) return m.get(p)
  const below = [...m].filter(([q]) => q.startsWith(p + '.')).flatMap(x => x[1])
  for (let q = p; !below.length && q.includes('.');) { q = q.slice(0, q.lastIndexOf('.')); if (m.has(q)) return m.get(q) }
  return below
}
const within = (box, e) => {
  if (!box || box.contains(d.activeElement) && d.activeElement === e) return
  const a = box.getBoundingClientRect(), b = e.getBoundingClientRect()
  if (b.top < a.top + 30 || b.bottom > a.bottom - 30) box.scrollTop += (b.top + b.bottom - a.top - a.bottom) / 2
  if (b.left < a.left || b.right > a.right && b.width < a.width) box.scrollLeft += (b.left + b.right - a.left - a.right) / 2
}
const pick = (p, from) => {
  for (const e of all('.on')) e.classList.remove('on')
  for (const [v, m, runs] of p ? views : []) {
    const marked = found(m, runs, p)
    for (const e of marked) e.classList.add('on')
    if (marked[0] && !(from && v.contains(from))) within(v.closest('.scroll'), marked[0])
  }
  for (const r of all('tr.on[data-line]')) {
    const l = d.getElementById(r.dataset.line)
    if (l) { l.classList.add('on'); within(l.closest('.scroll'), l) }
  }
}
const go = () => {
  if (!location.hash.startsWith('#/')) return
  let p
  try { p = decodeURIComponent(location.hash.slice(2)) } catch { return }
  const r = all('tbody tr').filter(e => e.dataset.at === p).sort((a, b) => b.matches('.layers *') - a.matches('.layers *'))[0]
  if (r) { const box = r.closest('details'); if (box) box.open = true; open(r) }
  pick(p)
  r?.scrollIntoView({ block: 'center' })
}
const choose = e => {
  const p = e.dataset.at
  history.replaceState(null, '', '#/' + encodeURIComponent(p))
  pick(p, e)
}
d.addEventListener('click', e => {
  const n = e.target.closest('[data-at]')
  if (n && !e.target.closest('button,a')) choose(n)
})
d.addEventListener('keydown', e => { if (e.key === 'Escape') { pick(''); history.replaceState(null, '', location.pathname + location.search) } })

// a tip for what has no title, from the row of the layer
const tip = d.getElementById('tip'), rowAt = (e, p) => all('table.layers tbody tr', e.closest('.design') || d).find(r => r.dataset.at === p)
let last
d.addEventListener('pointermove', e => {
  const n = e.target.closest('svg.picture [data-at]'), r = n && !n.querySelector(':scope>title') && rowAt(n, n.dataset.at)
  tip.hidden = !r
  if (!r) return
  if (last !== n) {
    const c = [...r.cells].map(x => x.textContent), pc = x => x ? ` (${x}%)` : '', none = x => x === '–' ? '0' : x
    tip.textContent = `${n.dataset.at}\n${c[1]} → ${c[2]}\n${none(c[3])} parameters${pc(c[4])}\n${none(c[6])} multiplies${pc(c[7])}` + (r.title && '\n' + r.title)
    last = n
  }
  const x = Math.min(e.clientX + 14, innerWidth - tip.offsetWidth - 8), y = Math.min(e.clientY + 14, innerHeight - tip.offsetHeight - 8)
  tip.style.transform = `translate(${Math.max(x, 4)}px,${Math.max(y, 4)}px)`
})
addEventListener('scroll', () => { tip.hidden = true }, true)

// tables: sort, filter, fold, keys
let open = () => {}
for (const t of all('table.layers,table.sorts')) {
  const body = t.tBodies[0], rows = [...body.rows], level = r => +(/^l(\d)/.exec(r.className)?.[1] ?? 0), group = r => r.classList.contains('g')
  const closed = new Set, find = t.closest('section').querySelector('input[type=search]'), say = t.closest('section').querySelector('.found')
  let by = -1, order = 0
  const text = r => (r.dataset.at + ' ' + r.textContent).toLowerCase()
  const show = () => {
    const q = find ? find.value.trim().toLowerCase() : '', kept = new Set, above = []
    let hits = 0, depth = 99
    for (const r of rows) {
      above[level(r)] = r
      if (!q || text(r).includes(q)) { hits += !group(r); kept.add(r); for (let l = level(r); order === 0 && q && l--;) kept.add(above[l]) }
    }
    for (const r of rows) {
      const inside = order === 0 && !q && level(r) > depth
      r.hidden = inside || !kept.has(r) || order !== 0 && group(r)
      if (!inside) depth = closed.has(r) ? level(r) : 99
    }
    if (say) say.textContent = q ? `${hits} found` : ''
  }
  const fold = (r, shut) => { shut ? closed.add(r) : closed.delete(r); r.querySelector('.fold')?.setAttribute('aria-expanded', !shut); show() }
  if (t.matches('.layers')) {
    const before = open
    open = r => {
      const i = rows.indexOf(r)
      if (i < 0) return before(r)
      for (let j = i, l = level(r); j >= 0; j--) if (level(rows[j]) < l) { l = level(rows[j]); if (closed.has(rows[j])) fold(rows[j], false) }
    }
    for (const r of rows.filter((r, i) => group(r) && rows[i + 1] && level(rows[i + 1]) > level(r))) {
      const b = make('button', { className: 'fold', type: 'button', ariaExpanded: 'true', ariaLabel: 'Layers of ' + r.dataset.at })
      b.onclick = () => fold(r, !closed.has(r))
      r.cells[0].prepend(b)
    }
    rows.forEach((r, i) => { r.tabIndex = i ? -1 : 0; r.name_ = r.cells[0].lastChild?.textContent })
    body.addEventListener('keydown', e => {
      const r = e.target
      if (r.tagName !== 'TR') return
      const seen = [...body.rows].filter(x => !x.hidden), to = { ArrowDown: 1, ArrowUp: -1 }[e.key]
      if (to) { const x = seen[seen.indexOf(r) + to]; if (x) { r.tabIndex = -1; x.tabIndex = 0; x.focus() } }
      else if (e.key === 'Enter' || e.key === ' ') choose(r)
      else if (group(r) && (e.key === 'ArrowLeft' || e.key === 'ArrowRight')) fold(r, e.key === 'ArrowLeft')
      else return
      e.preventDefault()
    })
  }
  if (find) find.oninput = show
  const heads = [...t.tHead.rows[0].cells]
  const key = (r, i) => { const s = r.cells[i].textContent, n = s.replace(/[≥<>,%\s]/g, ''); return n === '–' || n === '' ? -Infinity : isNaN(n) ? s : +n }
  const less = (x, y) => typeof x === 'number' && typeof y === 'number' ? (x > y) - (x < y) : String(x).localeCompare(String(y))
  heads.forEach((h, i) => {
    if (!h.textContent || t.matches('.layers') && (!i || h.textContent === '%')) return
    const b = make('button', { type: 'button' }, ...h.childNodes)
    h.append(b)
    b.onclick = () => {
      order = by !== i ? -1 : order < 0 ? 1 : 0
      by = order ? i : -1
      for (const x of heads) x.removeAttribute('aria-sort')
      if (order) h.setAttribute('aria-sort', order < 0 ? 'descending' : 'ascending')
      body.append(...order ? rows.map(r => [key(r, i), r]).sort((x, y) => order * less(x[0], y[0])).map(x => x[1]) : rows)
      t.classList.toggle('sorted', order !== 0)
      if (t.matches('.layers')) for (const r of rows) if (!group(r)) r.cells[0].lastChild.textContent = order ? r.dataset.at : r.name_
      show()
    }
  })
}
// a graph that is wider than its box begins with its input
const begin = e => {
  for (const g of all('.scroll>svg.graph', e)) {
    const a = g.parentNode.getBoundingClientRect(), b = g.querySelector('.input')?.getBoundingClientRect()
    if (b) g.parentNode.scrollLeft += (b.left + b.right - a.left - a.right) / 2
  }
}
begin()
for (const e of all('details')) e.addEventListener('toggle', () => begin(e), { once: true })
addEventListener('hashchange', go)
go()
})()
