import type { Fault } from './body-faults.ts'
import type { Chance } from './chance.ts'
import { type Draft, setHeader } from './draft.ts'

/** Pieces of paths and values as attackers and broken clients send them; none can end a line. */
const garbage = (chance: Chance): string =>
  chance.pick([
    () =>
      chance.pick([
        '%',
        '%zz',
        '%00',
        '%2',
        '%ff',
        '%c0%af',
        '%2e%2e%2f',
        '..',
        '%25',
        '%0d%0a',
        '\\',
        "'",
        '"',
      ]),
    () => chance.pick(['*', ':id', '{id}', ';', '~', '@', '|', '[', '<script>', '#{x}', 'null', 'NaN', '-1']),
    () => encodeURIComponent(chance.text(20).toWellFormed()),
    () => 'a'.repeat(chance.pick([1, 64, 255, 499, 500, 501, 3_000])),
    () =>
      chance
        .bytes(8)
        .toString('latin1')
        .replace(/[\r\n\0 ]/g, '_'),
    () =>
      chance.pick(['job_', 'file-', 'batch_', 'msgbatch_', 'upload_', 'part_']) +
      '0'.repeat(chance.pick([25, 26, 27])),
  ])()

const onPath =
  (act: (path: string, chance: Chance) => string): Fault =>
  (draft, chance) => {
    const [path = '', query] = split(draft)
    draft.target = act(path, chance) + (query === undefined ? '' : `?${query}`)
  }

const split = ({ target }: Draft): [string, string?] => {
  const at = target.indexOf('?')
  return at < 0 ? [target] : [target.slice(0, at), target.slice(at + 1)]
}

const segment = (act: (segment: string, chance: Chance) => string): Fault =>
  onPath((path, chance) => {
    const segments = path.split('/')
    const at = chance.whole(segments.length)
    segments[at] = act(segments[at]!, chance)
    return segments.join('/')
  })

export const pathFaults: Readonly<Record<string, Fault>> = {
  'another segment': segment((_, chance) => garbage(chance)),
  'garbage in a segment': segment((text, chance) => text + garbage(chance)),
  'a segment in capitals': segment(text => text.toUpperCase()),
  'a segment cut short': segment((text, chance) => text.slice(0, chance.whole(text.length + 1))),
  'a segment more': onPath((path, chance) => `${path}/${garbage(chance)}`),
  slashes: onPath((path, chance) =>
    chance.pick([`/${path}`, `${path}/`, path.replaceAll('/', '//'), `${path}/.`]),
  ),
  'another form': (draft, chance) => {
    draft.target = chance.pick([
      `http://other.example${draft.target}`,
      '*',
      draft.target.slice(1),
      `${draft.target}#x`,
    ])
  },
}

const repeatedNames = [
  'limit',
  'after',
  'cursor',
  'status',
  'order',
  'purpose',
  'file',
  'before_id',
  'after_id',
]

const addQuery = (draft: Draft, query: string): void => {
  draft.target += `${draft.target.includes('?') ? '&' : '?'}${query}`
}

export const queryFaults: Readonly<Record<string, Fault>> = {
  'a parameter of garbage': (draft, chance) =>
    addQuery(draft, `${chance.pick(repeatedNames)}=${garbage(chance)}`),
  'a repeated parameter': (draft, chance) => {
    const name = chance.pick(repeatedNames)
    addQuery(
      draft,
      Array.from({ length: 2 + chance.whole(20) }, () => `${name}=${garbage(chance)}`).join('&'),
    )
  },
  'an array': (draft, chance) =>
    addQuery(draft, `${chance.pick(repeatedNames)}[${chance.pick(['', '0', 'a'])}]=1`),
  'odd numbers': (draft, chance) =>
    addQuery(
      draft,
      `limit=${chance.pick(['', '0', '-1', '1e9', '1e400', '0x10', '1.5', ' 1', 'NaN', '9'.repeat(300)])}`,
    ),
  'many parameters': (draft, chance) =>
    addQuery(draft, Array.from({ length: chance.whole(1_500) }, (_, i) => `q${i}=`).join('&')),
  'names of objects': (draft, chance) =>
    addQuery(draft, `${chance.pick(['__proto__', 'constructor', 'toString', ''])}=x`),
  'signs alone': (draft, chance) => addQuery(draft, chance.pick(['&&&', '=', '?', '%', '&=&', '[]'])),
}

const headers = (...names: readonly [string, readonly string[]][]): Readonly<Record<string, Fault>> =>
  Object.fromEntries(
    names.map(([name, values]) => [
      `${name} of garbage`,
      (draft: Draft, chance: Chance) =>
        setHeader(draft, name, chance.hit(0.7) ? chance.pick(values) : garbage(chance)),
    ]),
  )

export const headerFaults: Readonly<Record<string, Fault>> = {
  ...headers(
    [
      'prefer',
      ['wait=-1', 'wait=', 'wait=1e9', 'wait="1"', 'wait=1;wait=2', ',,,', 'respond-async, wait=0', 'wait=0'],
    ],
    ['idempotency-key', ['', ' ', 'a b', 'k'.repeat(256), 'k'.repeat(255), 'é', 'same', '"', '\t']],
    [
      'range',
      [
        'bytes=',
        'bytes=-',
        'bytes=9-1',
        'bytes=-0',
        'bytes=99999999999999999999-',
        'bytes=0-0,1-1',
        'lines=1-',
      ],
    ],
    [
      'authorization',
      ['', 'Bearer', 'Bearer ', 'Basic eDp5', 'Bearer MARK-KEY-wrong', `Bearer ${'k'.repeat(5_000)}`],
    ],
    ['x-api-key', ['', 'MARK-KEY-wrong', 'é']],
    ['anthropic-version', ['', '2023-06-01', 'x'.repeat(500), '{}']],
    ['x-stainless-retry-count', ['1', '-1', 'NaN', '1e400', '']],
    ['x-request-id', ['', 'x'.repeat(500), '#{x}', 'req_1']],
    ['expect', ['100-continue', 'nothing', '']],
    ['upgrade', ['websocket', 'h2c', '']],
    ['connection', ['upgrade', 'close', 'keep-alive, close', 'host, authorization', '']],
    ['host', ['', 'a b', 'localhost:99999', '[::1', '@', 'x'.repeat(2_000)]],
    ['accept', ['text/html', '*/*;q=0', '']],
    ['content-disposition', ['attachment; filename="../../x"']],
    ['cookie', ['a=b; c', '=']],
    ['transfer-encoding', ['identity', 'gzip', 'chunked, chunked']],
    ['te', ['trailers', 'gzip']],
    ['accept-version', ['1.x', 'x']],
  ),
  'a header twice': (draft, chance) => {
    const [name, value] = chance.pick(draft.headers)
    draft.headers.push([name, chance.hit(0.5) ? value : garbage(chance)])
  },
  'a header less': (draft, chance) => {
    draft.headers.splice(chance.whole(draft.headers.length), 1)
  },
  'many headers': (draft, chance) => {
    for (let i = chance.whole(900); i > 0; i--) draft.headers.push([`x-${i}`, 'y'])
  },
  'headers that are too long': (draft, chance) =>
    setHeader(draft, 'x-long', 'y'.repeat(chance.pick([15_000, 17_000, 90_000]))),
  'another method': (draft, chance) => {
    draft.method = chance.pick(methods)
  },
  'another version': (draft, chance) => {
    draft.version = chance.pick([
      'HTTP/1.0',
      'HTTP/1.1',
      'HTTP/0.9',
      'HTTP/2.0',
      'HTTP/9.9',
      'HTTP',
      '',
      'http/1.1',
    ])
  },
}

const methods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'LINK',
  'PURGE',
  'SEARCH',
  'QUERY',
  'BREW',
  'get',
  'PRI',
  '',
  'G E T',
  'M'.repeat(300),
]
