// Python in a worker, and a spare one for when it does not answer.
const PATIENCE = 10_000, DRAWING = 30_000 // milliseconds without an answer, and without the page once numbers are there

export class Python {
  #now = this.#start()
  #spare = null
  #timer
  #last = 0

  // Called with a sentence when Python had to be stopped; what it had counted is gone with it.
  onstopped = () => {}

  get ready() { return this.#now.ready }

  // Ask for something; `onpart` gets every part of the answer. Returns the number of the question.
  ask(call, given, onpart) {
    const id = ++this.#last
    this.#now.owed.set(id, onpart)
    this.#now.worker.postMessage({ id, call, given })
    this.#watch()
    return id
  }

  // The answer to a question that has a single part.
  answer(call, given) {
    return new Promise((done, refuse) => this.ask(call, given, part => {
      if (part.failed) refuse(new Error(part.failed))
      else if (part.out) done(JSON.parse(part.out))
    }))
  }

  #start() {
    const worker = new Worker('worker.mjs', { type: 'module' }), one = { worker, owed: new Map, isReady: false }
    one.ready = new Promise((done, refuse) => {
      worker.onerror = event => refuse(new Error(event.message || 'its files cannot be loaded'))
      worker.onmessage = ({ data }) => {
        if (data.ready) { one.isReady = true; done() }
        else if (data.id === undefined) refuse(new Error(data.failed))
        else this.#part(one, data)
        if (one === this.#now) this.#watch(data.out && !data.last ? DRAWING : PATIENCE)
      }
    })
    one.ready.catch(() => {})
    return one
  }

  #part(one, part) {
    const onpart = one.owed.get(part.id)
    if (part.last) one.owed.delete(part.id)
    onpart?.(part)
    if (part.failed) this.#stop(`convcalc failed: ${part.failed.trim().split('\n').at(-1)}`)
    else if (part.last) this.#spare ??= this.#start() // only when the first has answered: both load the same files
  }

  #watch(patience = PATIENCE) {
    clearTimeout(this.#timer)
    if (!this.#now.isReady || !this.#now.owed.size) return
    const why = `no answer for ${patience / 1000} seconds: the counting was stopped; make the design smaller`
    this.#timer = setTimeout(() => this.#stop(why), patience)
  }

  #stop(why) {
    const { worker, owed } = this.#now
    worker.terminate()
    this.#now = this.#spare ?? this.#start()
    this.#spare = null
    for (const onpart of owed.values()) onpart({ failed: why, last: true })
    this.onstopped(why)
  }
}
