import { describe, expect, test } from 'vitest'
import { createScreen, type Output } from '../../src/terminal/screen.ts'

const paper = (terminal: Omit<Output, 'write'> = {}) => {
  const written: string[] = []
  let nowMs = 0
  const screen = createScreen({ ...terminal, write: text => written.push(text) }, () => nowMs)
  return {
    screen,
    written,
    pass: (ms: number) => {
      nowMs += ms
    },
  }
}
const clear = '\r\u001b[K'
const frame = (share: number, text: string, phase = 'a') => ({ share, text, phase })

describe('the screen', () => {
  describe('on a terminal', () => {
    test('a bar is drawn over itself, and stays when it is finished', () => {
      const { screen, written } = paper({ isTTY: true, columns: 30 })
      screen.show(frame(0.5, 'half of it all'))
      screen.show(frame(1, 'the whole of it'))
      screen.finish()
      screen.finish()
      expect(written).toEqual([
        `${clear}[######------] half of it all`,
        `${clear}[###########] the whole of it`,
        '\n',
      ])
    })

    test('a text that stays takes the place of the bar', () => {
      const { screen, written } = paper({ isTTY: true, columns: 40 })
      screen.say('before')
      screen.show(frame(0, 'some'))
      screen.say('between')
      expect(written).toEqual(['before\n', `${clear}[${'-'.repeat(24)}] some`, `${clear}between\n`])
    })

    test('a text that leaves no room for a bar has none, and never wraps', () => {
      const { screen, written } = paper({ isTTY: true, columns: 12 })
      screen.show(frame(0.5, 'longer than twelve'))
      expect(written).toEqual([`${clear}longer than`])
    })
  })

  describe('elsewhere', () => {
    test('there is a line now and then, and at once for a change and the end', () => {
      const { screen, written, pass } = paper()
      screen.show(frame(0, 'one'))
      pass(1_999)
      screen.show(frame(0.1, 'two'))
      pass(1)
      screen.show(frame(0.2, 'three'))
      screen.show(frame(0.2, 'four', 'b'))
      screen.show(frame(1, 'five', 'b'))
      screen.finish()
      expect(written).toEqual(['one\n', 'three\n', 'four\n', 'five\n'])
    })

    test('the longer it takes, the fewer the lines: one a minute at last', () => {
      const { screen, written, pass } = paper()
      for (let second = 0; second < 3_600; second++) {
        screen.show(frame(second / 3_600, `${second}`))
        pass(1_000)
      }
      const seconds = written.map(Number)
      expect(seconds.slice(0, 3)).toEqual([0, 2, 4])
      expect(seconds.at(-1)! - seconds.at(-2)!).toBe(60)
      expect(written.length).toBeLessThan(150)
    })
  })
})
