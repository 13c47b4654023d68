// What a link holds: the spec and its settings as JSON, deflate-raw, base64url, behind `#z=`. Nothing is sent anywhere.
const PREFIX = '#z=', LARGEST = 2 ** 21 // bytes; a spec has at most half of it

const through = (bytes, stream) => new Blob([bytes]).stream().pipeThrough(stream)

export const toHash = async state => {
  const packed = await new Response(through(JSON.stringify(state), new CompressionStream('deflate-raw'))).arrayBuffer()
  let binary = ''
  for (const byte of new Uint8Array(packed)) binary += String.fromCharCode(byte)
  return PREFIX + btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

// The state that a hash holds; null for one that holds none, and an error for one that is damaged.
export const fromHash = async hash => {
  if (!hash.startsWith(PREFIX)) return null
  const binary = atob(hash.slice(PREFIX.length).replaceAll('-', '+').replaceAll('_', '/'))
  const reader = through(Uint8Array.from(binary, c => c.charCodeAt(0)), new DecompressionStream('deflate-raw')).getReader()
  const chunks = []
  for (let size = 0, part; !(part = await reader.read()).done; chunks.push(part.value)) {
    size += part.value.length
    if (size > LARGEST) throw new Error('too long')
  }
  const { text, variant = '', batch = 1, dtype = 'float32' } = JSON.parse(await new Blob(chunks).text())
  if (typeof text !== 'string') throw new Error('no spec')
  return { text, variant: String(variant), batch: Number.isFinite(Number(batch)) ? Number(batch) : '', dtype: String(dtype) }
}
