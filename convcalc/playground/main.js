// The page: what is asked of Python, and what is shown of its answers. Numbers come first, then the page with pictures.
import { Editor } from './editor.js'
import { fromHash, toHash } from './link.js'
import { Python } from './python.js'

const $ = id => document.getElementById(id)
const make = (tag, more, ...inside) => { const e = Object.assign(document.createElement(tag), more); e.append(...inside); return e }
const DEBOUNCE = 80, LINK_DEBOUNCE = 500

const say = (text, isError = false) => { $('status').textContent = text; $('status').classList.toggle('error', isError) }

// --- the report -------------------------------------------------------------------------------------------------------

let coming = null // the frame that is loading; the one on show stays until then
const drop = frame => { if (frame) { URL.revokeObjectURL(frame.dataset.address ?? ''); frame.remove() } }

const showPage = html => {
  drop(coming)
  const address = URL.createObjectURL(new Blob([html], { type: 'text/html' })), frame = make('iframe', { title: 'Report' })
  const before = $('pages').lastElementChild?.contentWindow
  frame.dataset.address = address
  frame.className = 'coming'
  frame.onload = () => {
    if (coming !== frame) return
    frame.contentWindow.scrollTo({ left: before?.scrollX ?? 0, top: before?.scrollY ?? 0, behavior: 'instant' })
    for (const other of [...$('pages').children]) if (other !== frame) drop(other)
    frame.className = ''
    coming = null
    frame.contentDocument.addEventListener('click', clicked)
  }
  coming = frame
  frame.src = address + (before?.location.hash ?? '')
  $('pages').append(frame)
}

// A click in the report: on a layer, the editor goes to its line; a link opens elsewhere.
const clicked = event => {
  const link = event.target.closest('a[href]'), layer = event.target.closest('[data-at]')
  if (link && /^https?:/.test(link.href)) {
    event.preventDefault()
    open(link.href, '_blank', 'noopener')
  } else if (layer) {
    const rows = [...event.currentTarget.querySelectorAll('tr[data-line]')].filter(row => row.dataset.at === layer.dataset.at)
    const line = rows.map(row => /^(?:d2-)?L(\d+)$/.exec(row.dataset.line)).filter(Boolean).at(-1)
    if (line) editor.goTo({ line: +line[1] }, false)
  }
}

const showTiles = tiles => $('tiles').replaceChildren(...tiles.map(tile => {
  return make('div', { className: tile.kind }, make('dt', { textContent: tile.title }), make('dd', { textContent: tile.value, title: tile.below }))
}))

const showProblems = problems => {
  editor.underline(problems)
  $('problems').hidden = !problems.length
  $('problems').replaceChildren(...problems.map(problem => {
    const place = problem.line ? [make('button', { type: 'button', textContent: `Line ${problem.line}`, onclick: () => editor.goTo(problem) }), ' '] : []
    const hint = problem.hint ? [make('span', { textContent: problem.hint })] : []
    return make('li', {}, ...place, make('b', { textContent: problem.code }), ` ${problem.text}`, ...hint)
  }))
  $('right').classList.toggle('stale', problems.length > 0)
}

const showVariants = (names, chosen) => {
  $('variants').hidden = !names.length
  $('variant').replaceChildren(make('option', { value: '', textContent: 'none' }), ...names.map(name => make('option', { value: name, textContent: name })))
  $('variant').value = chosen
}

// --- asking -----------------------------------------------------------------------------------------------------------

const python = new Python
let editor, loaded, wanted = 0, timer, linkTimer, notice = ''

const state = () => ({ text: editor.text, variant: $('variant').value, batch: $('batch').valueAsNumber, dtype: $('dtype').value.trim() })

const count = () => {
  const given = state()
  if (!$('batch').validity.valid || !given.dtype) {
    return showProblems([{ code: '', text: 'the batch is a positive integer, and numbers have a format, such as float32', line: 0 }])
  }
  if ($('compare').checked) given.before = loaded
  const id = wanted = python.ask('report', given, part => {
    if (id !== wanted || part.failed) return
    if (part.page) return showPage(part.page)
    if (!part.out) return
    const found = JSON.parse(part.out)
    showProblems(found.errors ?? [])
    say(found.errors ? 'as of the last valid text' : notice, notice !== '' && !found.errors)
    if (found.errors) return
    showTiles(found.tiles)
    showVariants(found.variants, found.variant)
    document.title = `${found.name} · convcalc playground`
    $('save').disabled = false
  })
}
const soon = () => {
  notice = ''
  wanted = 0 // the answer on its way is to an older text
  clearTimeout(timer)
  timer = setTimeout(count, DEBOUNCE)
  clearTimeout(linkTimer)
  linkTimer = setTimeout(link, LINK_DEBOUNCE)
}
const link = async () => history.replaceState(null, '', await toHash(state()))

// Begin with another text, which later ones are compared with.
const begin = ({ text, variant = '', batch = 1, dtype = 'float32' }) => {
  loaded = text
  showVariants(variant ? [variant] : [], variant)
  $('batch').value = batch
  $('dtype').value = dtype
  editor.text = text
}

const fromAddress = async (address = location.href) => {
  try {
    return await fromHash(new URL(address).hash)
  } catch {
    notice = 'The link is damaged: it holds no spec.'
    say(notice, true)
    return null
  }
}

const save = async kind => {
  const file = kind === 'yaml' ? { name: 'spec.yaml', type: 'application/yaml', text: editor.text } : await python.answer('file', { kind })
  if (file.errors) return say(file.errors[0].text, true)
  const url = URL.createObjectURL(new Blob([file.text], { type: file.type }))
  make('a', { href: url, download: file.name }).click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

// --- start ------------------------------------------------------------------------------------------------------------

const menus = async () => {
  const { designs, dtypes } = await python.answer('designs', {}).catch(() => ({})) // it was stopped, and is asked again
  if (!designs) return
  const groups = Object.entries(designs).map(([folder, names]) => {
    return make('optgroup', { label: folder }, ...names.map(name => make('option', { value: `${folder}/${name}`, textContent: name })))
  })
  $('design').replaceChildren(make('option', { value: '', textContent: 'choose …' }), ...groups)
  $('dtypes').replaceChildren(...dtypes.map(value => make('option', { value })))
}

const start = async () => {
  const own = $('spec').value, shared = await fromAddress()
  $('save').disabled = true
  editor = new Editor($('editor'), own, (text, line, column) => python.answer('complete', { text, line, column }), soon)
  loaded = own
  if (shared) {
    $('pages').replaceChildren() // the ready-made report is of another text
    begin(shared)
    say('Python is loading.')
  }
  for (const id of ['variant', 'batch', 'dtype', 'compare']) $(id).addEventListener('change', soon)
  $('design').addEventListener('change', async event => {
    const [folder, name] = event.target.value.split('/')
    if (name) await python.answer('design', { folder, name }).then(found => begin({ ...state(), variant: '', ...found }), error => say(error.message, true))
  })
  $('save').addEventListener('change', event => {
    const kind = event.target.value
    event.target.value = ''
    save(kind).catch(error => say(error.message, true))
  })
  $('share').addEventListener('click', async () => {
    await link()
    try {
      await navigator.clipboard.writeText(location.href)
      say('The link is copied; it holds the spec itself.')
    } catch {
      say('The link is in the address bar; it holds the spec itself.')
    }
  })
  let followed = 0
  addEventListener('hashchange', async event => {
    clearTimeout(linkTimer) // what it would write is the text before
    const mine = ++followed, found = await fromAddress(event.newURL)
    if (found && mine === followed) begin(found) // else a later one has been followed
  })
  python.onstopped = why => {
    say(why, true)
    $('right').classList.add('stale')
    $('save').disabled = true
    if (!$('dtypes').children.length) menus()
  }
  try {
    await python.ready
  } catch (error) {
    return say(`Python could not be loaded: ${error.message}; reload the page to try again`, true)
  }
  count()
  await menus()
  navigator.serviceWorker?.register('sw.js')
}
start()
