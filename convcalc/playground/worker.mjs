// Python in a worker of its own: it answers {id, call, given} by {id, out}, and a report by a second one with the page.
import { loadPyodide } from './pyodide.mjs'

const started = (async () => {
  const app = fetch('app.zip').then(reply => {
    if (!reply.ok) throw new Error(`app.zip: ${reply.status} ${reply.statusText}`)
    return reply.arrayBuffer()
  })
  const python = await loadPyodide({ indexURL: './', packages: [] })
  python.unpackArchive(await app, 'zip', { extractDir: '/lib/app' })
  python.runPython('import sys; sys.path.insert(0, "/lib/app")')
  return python.pyimport('convcalc.playground.app').answer
})()

const pause = () => new Promise(done => setTimeout(done))
let newest = 0

onmessage = async ({ data: { id, call, given } }) => {
  if (call === 'report') newest = id
  try {
    const answer = await started
    await pause() // what has been asked for since comes first
    if (call === 'report' && id !== newest) return postMessage({ id, last: true })
    const out = answer(call, JSON.stringify(given)), counted = call === 'report' && !JSON.parse(out).errors
    postMessage({ id, out, last: !counted })
    if (!counted) return
    await pause()
    postMessage(id === newest ? { id, page: JSON.parse(answer('page', '{}')).html, last: true } : { id, last: true })
  } catch (error) {
    postMessage({ id, failed: String(error), last: true })
  }
}
started.then(() => postMessage({ ready: true }), error => postMessage({ failed: String(error) }))
