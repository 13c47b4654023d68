// The editor: YAML with colours of the page, completion and squiggles.
import { autocompletion } from '@codemirror/autocomplete'
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { yaml } from '@codemirror/lang-yaml'
import { lintGutter, setDiagnostics } from '@codemirror/lint'
import { Compartment, EditorState } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { basicSetup } from 'codemirror'

const theme = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--panel)', fontSize: '13px' },
  '.cm-content': { caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { color: 'var(--muted)', backgroundColor: 'var(--panel)', borderRight: '1px solid var(--line)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--text) 5%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'color-mix(in srgb, var(--p) 28%, transparent)',
  },
  '.cm-tooltip, .cm-panels': { color: 'var(--text)', backgroundColor: 'var(--panel)', border: '1px solid var(--line)' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { color: 'var(--ground)', background: 'var(--p_text)' },
  '.cm-diagnostic': { whiteSpace: 'pre-wrap', maxWidth: '60ch' },
})
const colours = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: 'var(--p_text)' },
  { tag: tags.comment, color: 'var(--muted)', fontStyle: 'italic' },
  { tag: [tags.string, tags.attributeValue], color: 'var(--a_text)' },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword, tags.typeName], color: 'var(--m_text)' },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: 'var(--muted)' },
])

// The parser of colours calls itself for every level. Text that is nested deeper than specs may be by far goes without.
const language = new Compartment, DEEPEST = 500
const isDeep = text => {
  let open = 0, deepest = 0
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    open = '[{'.includes(bracket) ? open + 1 : Math.max(0, open - 1)
    deepest = Math.max(deepest, open)
  }
  for (const [indent] of text.matchAll(/^[ \t?:-]+/gm)) deepest = Math.max(deepest, indent.length)
  return deepest > DEEPEST
}
const deepWithout = EditorState.transactionExtender.of(change => {
  if (!change.docChanged) return null
  const is = isDeep(change.newDoc.toString()), was = Array.isArray(language.get(change.startState))
  return is === was ? null : { effects: language.reconfigure(is ? [] : yaml()) }
})

// `complete(text, line, column)` returns the options at a place, `changed()` hears of edits.
export class Editor {
  constructor(parent, text, complete, changed) {
    const options = async context => {
      const word = context.matchBefore(/[\w.-]+/), line = context.state.doc.lineAt(context.pos)
      if (!word && !context.explicit) return null
      const column = [...line.text.slice(0, context.pos - line.from)].length
      const found = await complete(context.state.doc.toString(), line.number - 1, column).catch(() => null)
      if (!found?.options) return null
      const follows = context.state.sliceDoc(context.pos, context.pos + 1) === ':'
      const made = found.options.map(each => follows ? { ...each, apply: each.label } : each)
      return { from: context.pos - found.back, options: made, validFor: /^[\w.-]*$/ }
    }
    parent.replaceChildren()
    this.view = new EditorView({
      doc: text, parent,
      extensions: [
        basicSetup, language.of(isDeep(text) ? [] : yaml()), deepWithout, theme, syntaxHighlighting(colours), lintGutter(),
        autocompletion({ override: [options] }),
        EditorView.contentAttributes.of({ 'aria-label': 'Spec', tabindex: '0' }),
        EditorView.updateListener.of(update => { if (update.docChanged) changed() }),
      ],
    })
  }

  get text() { return this.view.state.doc.toString() }

  set text(text) {
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text }, selection: { anchor: 0 } })
  }

  // Underline what is wrong; problems without a place are only in the list.
  underline(problems) {
    const marks = problems.filter(each => each.line).map(each => ({
      ...this.#range(each), severity: each.severity, source: each.code,
      message: each.text + (each.hint ? `\n${each.hint}` : ''),
    }))
    this.view.dispatch(setDiagnostics(this.view.state, marks))
  }

  // Put the cursor at a place and show it.
  goTo(place, focus = true) {
    const { from } = this.#range(place)
    this.view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) })
    if (focus) this.view.focus()
  }

  #range({ line, from = 0, to = 0 }) {
    const doc = this.view.state.doc, at = doc.line(Math.min(Math.max(line, 1), doc.lines))
    const start = Math.min(at.to, at.from + from)
    return { from: start, to: Math.max(start, Math.min(at.to, Math.max(at.from + to, start + 1))) }
  }
}
