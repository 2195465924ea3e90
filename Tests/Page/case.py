"""The base of the tests: one browser for all of them, and a feed for each."""
import atexit
import unittest

import pictures
from browser import Browser
from feed import Feed

browser = None


def shared_browser():
    global browser
    if browser is None:
        browser = Browser()
        atexit.register(browser.quit)
    return browser


# Texts that a reader can see, with their rectangles. A rectangle is narrowed to the glyphs' height.
VISIBLE_TEXTS = """
    const texts = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode, parent = node.parentElement;
        if (!node.data.trim() || parent.closest('.visually-hidden, noscript, select')) continue;
        const style = getComputedStyle(parent);
        if (style.visibility !== 'visible' || style.display === 'none') continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        for (const r of range.getClientRects()) {
            if (r.width === 0 || r.height === 0) continue;
            const isUpright = style.writingMode !== 'horizontal-tb';
            const dx = isUpright ? r.width * 0.2 : 0, dy = isUpright ? 0 : r.height * 0.2;
            texts.push({text: node.data.trim(), parent, left: r.left + dx, right: r.right - dx,
                        top: r.top + dy, bottom: r.bottom - dy});
        }
    }
"""

# What is wrong with the layout, in words.
FAULTS = VISIBLE_TEXTS + """
    const faults = [], root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) faults.push('scrolls sideways: ' + root.scrollWidth);
    if (arguments[0] && (root.scrollHeight > root.clientHeight || document.body.scrollHeight > root.clientHeight))
        faults.push('scrolls: ' + root.scrollHeight + ' ' + document.body.scrollHeight);
    texts.forEach((a, i) => {
        const box = a.parent.closest('.tile, .data, .top').getBoundingClientRect();
        if (a.left < box.left - 1 || a.right > box.right + 1 || a.top < box.top - 1 || a.bottom > box.bottom + 1)
            faults.push('outside of its tile: ' + a.text);
        const size = parseFloat(getComputedStyle(a.parent).fontSize);
        // On a wall screen letters are in proportion to it, and are read from five metres.
        if (size < (arguments[0] ? innerHeight / 58 : 10)) faults.push('small: ' + size + ' ' + a.text);
        if (a.left < 0 || a.right > root.clientWidth) faults.push('beyond the screen: ' + a.text);
        if (arguments[0] && (a.top < 0 || a.bottom > root.clientHeight)) faults.push('below the screen: ' + a.text);
        for (const b of texts.slice(i + 1)) {
            if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
                && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)
                faults.push('overlap: ' + a.text + ' | ' + b.text);
        }
    });
    for (const node of document.querySelectorAll('body *')) {
        if (node.closest('.visually-hidden, svg, option') || getComputedStyle(node).overflowX === 'visible') continue;
        if (node.scrollWidth > node.clientWidth)
            faults.push('cut: ' + node.className + ' ' + node.textContent.trim().slice(0, 60));
    }
    return faults;
"""


class PageCase(unittest.TestCase):
    picture = pictures.REFERENCE

    def setUp(self):
        self.browser = shared_browser()
        self.browser.setting()
        self.browser.errors()
        self.feed = Feed(self.picture)
        self.addCleanup(self.feed.stop)
        # Ends the streams before the feed does.
        self.addCleanup(self.browser.open, 'about:blank')

    def open(self, query='', **setting):
        if setting:
            self.browser.setting(**setting)
        self.browser.open(self.feed.url + query)
        self.browser.wait_live()

    def day(self):
        # Whether there is a comma depends on the browser's version.
        return self.browser.figure('day').replace(',', '')

    def show(self, picture):
        """Shows a picture and waits until the page has it."""
        self.feed.show(picture)
        self.wait_value('total', picture['tiles']['total'])

    def wait_value(self, name, value, seconds=10):
        shown = 'unknown' if value is None else str(value)
        self.browser.wait(lambda: self.browser.value(name) == shown, '%s is %s' % (name, shown), seconds)

    def assert_layout(self, is_fixed=False):
        self.browser.wait("return document.fonts.status === 'loaded'", 'fonts are loaded')
        self.assertEqual(self.browser.run(FAULTS, is_fixed), [])

    def assert_tiles(self, tiles):
        compare_tiles(self, self.browser, tiles)


def compare_tiles(test, browser, tiles):
    """Compares every figure and bar of the page with a picture's tiles."""
    def shown(value):
        return 'unknown' if value is None else str(value)

    for name in ('total', 'nok'):
        test.assertEqual(browser.value(name), shown(tiles[name]), name)
        if tiles[name] is not None and tiles[name] < 100000:
            digits = ''.join(filter(str.isdigit, browser.figure(name)))
            test.assertEqual(digits, str(tiles[name]), name)
    share = tiles['share']
    note = browser.run("""const d = document.querySelector('[data-figure="share-note"]').dataset;
        return [d.produced, d.withoutConcern]""")
    test.assertEqual(note, [None if share[name] is None else str(share[name])
                            for name in ('produced', 'without_concern')], 'share')
    if share['produced']:
        test.assertEqual(browser.value('share'), '%.4f' % (share['without_concern'] / share['produced']))
        rounded = 100 * share['without_concern'] / share['produced']
        percent = int(''.join(filter(str.isdigit, browser.figure('share'))))
        test.assertLess(abs(percent - rounded), 1, 'share')
    running = {row['hour']: row['units'] for row in tiles['current_production']}
    test.assertEqual(browser.value('produced'), str(running[max(running)] if running else 0), 'produced')
    plan = {row['hour']: row['plan'] for row in tiles['current_production'] if row.get('plan') is not None}
    plan.update({row['hour']: row['units'] for row in tiles['plan']})
    test.assertEqual(browser.bars('current-production'), running, 'current production')
    test.assertEqual(browser.bars('plan'), plan, 'plan')
    for name, key in (('units_per_hour', 'hour'), ('concerns_per_hour', 'hour'), ('units_per_zone', 'zone'),
                      ('nok_per_zone', 'zone'), ('not_ok_by_point', 'point')):
        expected = {row[key]: row['units'] for row in tiles[name]}
        bars = browser.bars(name.replace('_', '-'))
        test.assertEqual(bars, expected, name)
        if key != 'hour':
            test.assertEqual(list(bars), sorted(expected, key=lambda key: (-expected[key], key)), name + ' by size')
