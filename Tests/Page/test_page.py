"""The page's contents and behaviour."""
import json
import time
import unittest

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import pictures
from case import PageCase

STATE = "return document.querySelector('.state').dataset.state"


class FigureTests(PageCase):
    def test_reference_day(self):
        self.open()
        self.assert_tiles(pictures.REFERENCE['tiles'])
        self.assertEqual(self.browser.figure('total'), '114')
        self.assertEqual(self.browser.figure('nok'), '88')
        self.assertEqual(self.browser.figure('share'), '62%')
        self.assertEqual(self.browser.figure('share-note'), '71 of 114 units')
        self.assertEqual(self.browser.figure('dead-letters'), '3')
        self.assertEqual(self.day(), 'Wednesday 27 May 2020')
        self.assertEqual(self.browser.figure('clock'), '16:41')
        self.assertEqual(self.browser.figure('clock-note'), 'replayed')
        self.assertEqual(self.browser.errors(), [])

    def test_data_strip(self):
        self.feed.show(pictures.reference(data__lag=1234, data__waits=['waiting for the lock of table ucp', 'b']))
        self.open()
        self.wait_value('lag', 1234)
        # The plant's time; it is 19:59:59 in the time zone of the test's browser.
        self.assertTrue(self.browser.figure('last-message').endswith('12:59:59'))
        self.assertEqual(self.browser.value('last-message'), '2026-11-30T18:59:59.000Z')
        self.assertEqual(self.browser.figure('lag'), '1,234')
        self.assertEqual(self.browser.figure('rows-per-second'), '12.5')
        self.assertEqual(self.browser.figure('data-dead-letters'), '3')
        self.assertEqual(self.browser.figure('waits'), 'waiting for the lock of table ucp · b')

    def test_last_message_has_a_date_unless_it_is_of_the_plants_today(self):
        # At the plant it is about one o'clock, so that a message from two hours ago came yesterday.
        now = time.time()
        hours = (1 - time.gmtime(now).tm_hour + 12) % 24 - 12
        for age, expected in ((10, r'^%s$'), (7200, r'^\d+ \w+ %s$')):
            local = time.gmtime(now - age + 3600 * hours)
            sent = '%s%s%02d:00' % (time.strftime('%Y-%m-%dT%H:%M:%S', local), '-' if hours < 0 else '+', abs(hours))
            self.feed.show(pictures.reference(data__last_message=sent))
            self.open()
            self.assertRegex(self.browser.figure('last-message'), expected % time.strftime('%H:%M:%S', local))

    def test_age_grows(self):
        moment = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() - 30))
        self.feed.show(pictures.reference(data__last_message=moment))
        self.open()
        seconds = lambda: int(self.browser.figure('age').split(' ')[0])
        self.browser.wait(lambda: self.browser.figure('age').endswith(' s'), 'the age is shown')
        first = seconds()
        self.assertGreaterEqual(first, 29)
        self.assertLess(first, 60)
        self.browser.wait(lambda: seconds() > first, 'the age grows')

    def test_pictures_follow_each_other(self):
        self.open()
        for picture in (pictures.until(8, '2020-05-27T08:30:00'), pictures.until(12, '2020-05-27T12:59:00'),
                        pictures.large(), pictures.all_hours(), pictures.reference()):
            self.show(picture)
            self.assert_tiles(picture['tiles'])
        self.assertEqual(self.browser.errors(), [])

    def test_unknown_values(self):
        self.feed.show(pictures.unknown())
        self.open()
        for name in ('total', 'nok', 'share', 'dead-letters'):
            self.assertEqual((self.browser.figure(name), self.browser.value(name)), ('–', 'unknown'), name)
        for name in ('total-note', 'nok-note', 'share-note', 'letters-note', 'lag', 'rows-per-second', 'last-message',
                     'age', 'data-dead-letters'):
            self.assertEqual(self.browser.figure(name), 'unknown', name)

    def test_day_without_data(self):
        self.feed.show(pictures.empty())
        self.open()
        self.assert_tiles(pictures.empty()['tiles'])
        self.assertEqual(self.browser.figure('total'), '0')
        self.assertEqual(self.browser.figure('produced'), '0')
        self.assertEqual(self.browser.figure('share'), '–')
        self.assertEqual(self.browser.figure('plan'), '–')
        self.assertEqual(self.browser.figure('time-left'), 'day is over')
        notes = self.browser.driver.find_elements(By.CSS_SELECTOR, '.rank .none')
        self.assertEqual([(note.text, note.is_displayed()) for note in notes], [('None on this day', True)] * 3)
        self.show(pictures.reference())
        self.assertFalse(any(note.is_displayed() for note in notes))

    def test_dead_letters_have_words_and_a_symbol(self):
        self.open()
        tile = self.browser.driver.find_element(By.CSS_SELECTOR, '.letters .note')
        for letters, note in ((3, '⚠ messages to repair'), (0, '✓ none open'), (None, '? unknown')):
            self.feed.show(pictures.reference(data__dead_letters=letters))
            self.wait_value('dead-letters', letters)
            self.assertEqual(' '.join(tile.text.split()), note)

    def test_long_numbers_are_shortened(self):
        self.open()
        for value, shown in ((99999, '99,999'), (100000, '100k'), (999999, '999k'), (1234567, '1.2M'),
                             (98765432, '98.7M'), (999999999, '999M'), (1e12, '>1G')):
            self.feed.show(pictures.reference(tiles__nok=value))
            self.browser.wait(lambda: self.browser.figure('nok') == shown, '%s is shown as %s' % (value, shown))

    def test_update_touches_only_what_changed(self):
        self.open()
        self.browser.run("""
            window.touched = [];
            new MutationObserver(list => list.forEach(change => {
                const node = change.target.nodeType === 1 ? change.target : change.target.parentElement;
                window.touched.push(node.dataset.figure || node.dataset.bar || node.tagName + '.' + node.className);
            })).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});""")
        picture = pictures.reference(tiles__nok=89)
        picture['tiles']['nok_per_zone'][3]['units'] = 9
        self.feed.show(picture)
        self.wait_value('nok', 89)
        touched = set(self.browser.run('return window.touched'))
        self.assertIn('nok', touched)
        # The row, its bar and its number. Time goes on beside it.
        self.assertLessEqual(touched - {'age', 'clock', 'time-left'},
                             {'nok', 'nok-per-zone', 'SPAN.value', 'rect.[object SVGAnimatedString]'})


class CurrentProductionTests(PageCase):
    def shown(self, picture):
        self.feed.show(picture)
        self.browser.wait(lambda: self.browser.figure('clock') == picture['now'][11:16], 'the picture is shown')
        return [self.browser.figure(name) for name in ('produced', 'plan', 'plan-note', 'gap', 'time-left')]

    def symbol(self):
        return self.browser.run("return document.querySelector('.gap .symbol').textContent")

    def test_gap_and_time_left(self):
        self.open()
        self.assertEqual(self.shown(pictures.until(16, '2020-05-27T16:41:12')),
                         ['114', '110', 'plan by 17:00', '+4 ahead of plan', '19 min left until 17:00'])
        self.assertEqual(self.symbol(), '▲')
        self.assertEqual(self.shown(pictures.until(11, '2020-05-27T11:00:10')),
                         ['54', '55', 'plan by 12:00', '−1 behind plan', '60 min left until 12:00'])
        self.assertEqual(self.symbol(), '▼')
        self.assertEqual(self.shown(pictures.until(10, '2020-05-27T10:30:00')),
                         ['41', '41', 'plan by 11:00', 'on plan', '30 min left until 11:00'])
        self.assertEqual(self.symbol(), '=')

    def test_before_and_after_the_plan(self):
        self.open()
        early = pictures.until(8, '2020-05-27T07:15:00')
        early['tiles']['current_production'] = [{'hour': 7, 'units': 2, 'plan': None}]
        self.assertEqual(self.shown(early), ['2', '–', 'plan begins at 08:00', 'nothing to compare',
                                             '45 min left until 08:00'])
        self.assertEqual(self.shown(pictures.until(16, '2020-05-27T17:02:00')),
                         ['114', '110', 'plan for the day', '+4 ahead of plan', 'day is over'])
        self.assertEqual(self.browser.figure('produced-note'), 'produced')

    def test_past_day(self):
        self.open()
        self.assertEqual(self.shown(pictures.reference(now='2020-05-28T09:00:00'))[1:],
                         ['110', 'plan for the day', '+4 ahead of plan', 'day is over'])

    def test_without_plan(self):
        self.open()
        picture = pictures.until(11, '2020-05-27T11:48:00')
        picture['tiles']['plan'] = []
        for row in picture['tiles']['current_production']:
            row['plan'] = None
        self.assertEqual(self.shown(picture), ['54', '–', 'no plan', 'nothing to compare', '12 min left until 12:00'])

    def test_clock_goes_on_between_pictures(self):
        self.feed.show(pictures.until(11, '2020-05-27T11:59:58'))
        self.open()
        self.browser.wait(lambda: self.browser.figure('clock') == '12:00', 'the next hour has begun')
        self.assertEqual(self.browser.figure('plan'), '65')
        self.assertEqual(self.browser.figure('time-left'), '60 min left until 13:00')

    def test_clock_of_a_replay_stands_still(self):
        self.feed.show(pictures.reference(now='2020-05-27T16:59:58'))
        self.open()
        self.browser.run("window.ticks = 0; setInterval(() => window.ticks++, 1000)")
        self.browser.wait('return window.ticks >= 3', 'three seconds have passed')
        self.assertEqual(self.browser.figure('clock'), '16:59')


class LanguageTests(PageCase):
    def test_spanish(self):
        self.feed.show(pictures.large())
        self.open(languages='es-ES,es')
        self.assertTrue(self.browser.run('return document.documentElement.lang').startswith('es'))
        self.assertEqual(self.browser.figure('total'), '98.765')
        self.assertEqual(self.day(), 'miércoles 27 de mayo de 2020')
        self.assertEqual(self.browser.figure('time-left'), 'quedan 19 min hasta las 17:00')
        self.assertEqual(self.browser.figure('clock-note'), 'reproducido')
        words = self.browser.run('return document.body.innerText')
        for english in ('Production', 'Units', 'Hour', 'Show', 'Live', 'Zone', 'Point', 'Latest', 'Data'):
            self.assertNotIn(english, words)
        self.feed.cut(refusing=True)
        self.browser.wait(lambda: 'Sin conexión – cifras de las 16:41:12' in self.browser.run(
            "return document.querySelector('.state').innerText"), 'the lost connection is told in Spanish')

    def test_first_known_language_counts(self):
        for languages, expected in (('de-DE,es-MX', 'es-MX'), ('fr-FR', 'en'), ('en-US,es', 'en-US')):
            self.open(languages=languages)
            self.assertEqual(self.browser.run('return document.documentElement.lang'), expected)
            self.browser.open('about:blank')


class DayTests(PageCase):
    def setUp(self):
        super().setUp()
        self.feed.show(pictures.reference(day='2020-05-26', tiles__total=77), '2020-05-26')
        self.feed.show(pictures.reference(day='2020-05-25', tiles__total=66), '2020-05-25')
        self.feed.show(pictures.empty('2020-05-01'), '2020-05-01')

    def address(self):
        return self.browser.driver.current_url[len(self.feed.url):]

    def choose(self, value):
        self.browser.run("""
            const select = document.querySelector('.days select');
            select.value = arguments[0];
            select.dispatchEvent(new Event('change', {bubbles: true}));""", value)

    def test_choosing_and_coming_back(self):
        self.open()
        options = self.browser.run("return Array.from(document.querySelectorAll('.days option'), o => o.value)")
        self.assertEqual(options, ['', '2020-05-27', '2020-05-26', '2020-05-25'])
        today = self.browser.driver.find_element(By.CSS_SELECTOR, '.today')
        self.assertFalse(today.is_displayed())
        self.choose('2020-05-26')
        self.wait_value('total', 77)
        self.assertEqual(self.address(), '?day=2020-05-26')
        self.assertEqual(self.day(), 'Tuesday 26 May 2020')
        self.choose('2020-05-25')
        self.wait_value('total', 66)
        self.browser.driver.back()
        self.wait_value('total', 77)
        self.assertTrue(today.is_displayed())
        today.click()
        self.wait_value('total', 114)
        self.assertEqual(self.address(), '')

    def test_day_in_the_address(self):
        self.open('?day=2020-05-26')
        self.wait_value('total', 77)
        self.assertEqual(self.feed.streams[-1][1], '2020-05-26')
        self.open('?tv&day=2020-05-25')
        self.wait_value('total', 66)

    def test_day_without_data_and_nonsense(self):
        self.open('?day=2020-05-01')
        self.assertEqual(self.browser.figure('total'), '0')
        self.assertEqual(self.browser.run("return document.querySelector('.days select').value"), '2020-05-01')
        for nonsense in ('?day=<script>', '?day=2020-99-99', '?day='):
            self.open(nonsense)
            self.wait_value('total', 114)
            self.assertIsNone(self.feed.streams[-1][1])

    def test_newest_day_of_a_replay_is_the_same_if_chosen(self):
        self.feed.show(pictures.reference(), '2020-05-27')
        names = ('clock', 'clock-note', 'plan', 'plan-note', 'time-left', 'produced-note')
        shown = []
        for query in ('', '?day=2020-05-27'):
            self.open(query)
            self.wait_value('total', 114)
            shown.append([self.browser.figure(name) for name in names])
        self.assertEqual(shown[0], ['16:41', 'replayed', '110', 'plan by 17:00', '19 min left until 17:00',
                                    'produced so far'])
        self.assertEqual(shown[1], shown[0])

    def test_current_day_is_followed(self):
        self.open()
        self.show(pictures.reference(day='2020-05-28', days=['2020-05-28', '2020-05-27'], tiles__total=5))
        self.assertEqual(self.day(), 'Thursday 28 May 2020')
        self.assertEqual(self.address(), '')

    def test_keyboard_only(self):
        self.open()
        seen = []
        press = lambda key: ActionChains(self.browser.driver).send_keys(key).perform()
        for _ in range(6):
            press(Keys.TAB)
            name, outline = self.browser.run("""
                const node = document.activeElement, style = getComputedStyle(node);
                const rank = node.closest('[data-rank]');
                return [rank ? rank.dataset.rank : node.dataset.step || node.className || node.tagName,
                        style.outlineStyle + ' ' + style.outlineWidth]""")
            seen.append(name)
            self.assertEqual(outline, 'solid 3px', name)
        self.assertEqual(seen, ['older', 'SELECT', 'newer', 'units-per-zone', 'nok-per-zone', 'not-ok-by-point'])
        visible = "return document.querySelectorAll('[data-bar=not-ok-by-point]:not([hidden])').length"
        first = self.browser.run(visible)
        press(Keys.SPACE)
        self.browser.wait(lambda: self.browser.run(visible) == 25, 'all points are shown')
        press(Keys.ENTER)
        self.browser.wait(lambda: self.browser.run(visible) == first, 'the first points are shown')
        focus = lambda selector: self.browser.run('document.querySelector(arguments[0]).focus()', selector)
        focus('[data-step=older]')
        press(Keys.ENTER)
        self.wait_value('total', 77)
        press(Keys.ENTER)
        self.wait_value('total', 66)
        # There is no older one; the button keeps the focus.
        press(Keys.ENTER)
        self.assertEqual(self.browser.run('return document.activeElement.dataset.step'), 'older')
        press(Keys.TAB)
        press(Keys.ARROW_UP)
        self.wait_value('total', 77)
        focus('.today')
        press(Keys.ENTER)
        self.wait_value('total', 114)
        self.assertEqual(self.browser.run('return document.activeElement.tagName'), 'SELECT')


class ConnectionTests(PageCase):
    def state(self):
        return self.browser.run(STATE)

    def words(self):
        return self.browser.run("return document.querySelector('.state').innerText.replace(/\\s+/g, ' ').trim()")

    def test_lost_and_back(self):
        self.open()
        self.feed.cut(refusing=True)
        self.browser.wait(STATE + " === 'lost'", 'the connection is lost')
        self.assertEqual(self.words(), '⚠ Connection lost – figures of 16:41:12 – reconnecting')
        self.assertEqual(self.browser.figure('clock-note'), 'as of')
        self.assert_tiles(pictures.REFERENCE['tiles'])
        first = len(self.feed.streams)
        # It backs off.
        self.browser.wait(lambda: len(self.feed.streams) >= first + 4, 'it reconnects by itself', 60)
        times = [each[0] for each in self.feed.streams[first - 1:]]
        gaps = [b - a for a, b in zip(times, times[1:])]
        self.assertLess(gaps[0], 2)
        self.assertGreater(gaps[-1], gaps[0])
        self.feed.show(pictures.reference(tiles__total=115))
        self.feed.cut(refusing=False)
        self.browser.wait_live(12)
        self.assertEqual(self.browser.figure('total'), '115')
        self.assertEqual(self.words(), '● Live')
        self.assertEqual(self.browser.figure('clock-note'), 'replayed')

    def test_longest_pause_between_attempts(self):
        # The page's timers, made a hundred times as fast, and noted.
        self.browser.open('about:blank')
        script = self.browser.command('Page.addScriptToEvaluateOnNewDocument', source="""
            const original = setTimeout;
            window.pauses = [];
            window.setTimeout = (f, ms) => { window.pauses.push(ms); return original(f, ms / 100); };""")
        self.addCleanup(lambda: self.browser.command('Page.removeScriptToEvaluateOnNewDocument', **script))
        self.feed.cut(refusing=True)
        self.browser.open(self.feed.url)
        self.browser.wait('return window.pauses.length >= 20', 'many attempts have failed')
        pauses = self.browser.run('return window.pauses')
        self.assertLessEqual(max(pauses), 10000)
        self.assertGreater(min(pauses[10:]), 5000)
        self.assertEqual(self.words(), '⚠ No connection – reconnecting')

    def test_stalled_stream(self):
        self.open()
        self.feed.silence(True)
        start = time.monotonic()
        self.browser.wait(STATE + " === 'lost'", 'the stalled stream is noticed', 16)
        self.assertLess(time.monotonic() - start, 15)
        before = len(self.feed.streams)
        self.browser.wait(lambda: len(self.feed.streams) > before, 'it connects anew')
        self.feed.silence(False)
        self.browser.wait_live(12)

    def test_beats_keep_it_alive(self):
        self.open()
        self.browser.run("window.ticks = 0; setInterval(() => window.ticks++, 1000)")
        self.browser.wait('return window.ticks >= 14', 'more than the time for a stalled stream has passed', 20)
        self.assertEqual(self.state(), 'live')
        self.assertEqual(len(self.feed.streams), 1)

    def test_upgrade_reloads_once(self):
        self.open()
        self.feed.upgrade('0.3.0')
        self.feed.show(pictures.reference(version='0.3.0'))
        version = "return document.querySelector('meta[name=version]').content"
        self.browser.wait(lambda: self.feed.loads == 2 and self.browser.run(version) == '0.3.0', 'the page is reloaded')
        self.browser.wait_live()
        # A page that stays old, for example out of a proxy's cache, doesn't reload again and again.
        for total in (201, 202, 203):
            self.show(pictures.reference(version='0.4.0', tiles__total=total))
        self.assertEqual(self.feed.loads, 2)

    def test_reloads_again_after_a_minute(self):
        self.open()
        self.browser.run("sessionStorage.setItem('reloaded', String(Date.now() - 50000))")
        self.show(pictures.reference(version='0.3.0', tiles__total=300))
        self.assertEqual(self.feed.loads, 1)
        self.browser.wait(lambda: self.feed.loads == 2, 'the page is reloaded after the minute', 15)

    def test_announcements(self):
        self.open()
        said = lambda: self.browser.run("return document.getElementById('announcement').textContent")
        self.browser.wait(lambda: said() == '114 units produced', 'the total is announced')
        live = self.browser.run("""
            const nodes = document.querySelectorAll('[aria-live], [role=status], [role=alert]');
            return Array.from(nodes, node => node.id)""")
        self.assertEqual(live, ['announcement'])
        # Not with each picture.
        self.show(pictures.reference(tiles__total=115))
        self.assertEqual(said(), '114 units produced')
        self.feed.cut(refusing=True)
        self.browser.wait(lambda: said().startswith('Connection lost'), 'the lost connection is announced')


class WallScreenTests(PageCase):
    def rotate_fast(self):
        self.browser.open('about:blank')
        script = self.browser.command('Page.addScriptToEvaluateOnNewDocument', source="""
            const original = setInterval;
            window.intervals = [];
            window.setInterval = (f, ms) => { window.intervals.push(ms); return original(f, ms === 10000 ? 400 : ms); };
        """)
        self.addCleanup(lambda: self.browser.command('Page.removeScriptToEvaluateOnNewDocument', **script))

    def visible(self, name):
        return self.browser.run("return Array.from(document.querySelectorAll('[data-bar=\"' + arguments[0] + '\"]')"
                                ").filter(node => node.getClientRects().length).map(node => Number(node.dataset.key))",
                                name)

    def test_rotates_through_all(self):
        for still in (False, True):
            for size in ((1920, 1080), (1366, 768)):
                with self.subTest(size=size, still=still):
                    self.rotate_fast()
                    self.open('?tv', size=size, still=still)
                    self.assertIn(10000, self.browser.run('return window.intervals'))
                    for name, rows in (('units-per-zone', pictures.ZONES), ('nok-per-zone', pictures.NOK_ZONES),
                                       ('not-ok-by-point', pictures.POINTS)):
                        seen, pages = set(), []

                        def complete():
                            keys = self.visible(name)
                            if not pages or pages[-1] != keys:
                                pages.append(keys)
                                seen.update(keys)
                            return len(seen) == len(rows)

                        self.browser.wait(complete, 'all of %s come by' % name)
                        self.assertEqual(seen, {key for key, _ in rows})
                        self.assertGreaterEqual(len(pages), 2)
                        self.assertGreaterEqual(max(map(len, pages)), 8)
                    self.assert_layout(is_fixed=True)
                    if still:
                        self.assertEqual(self.browser.run("return document.getAnimations().length"), 0)

    def test_one_page_does_not_rotate(self):
        picture = pictures.reference()
        for name in ('units_per_zone', 'nok_per_zone', 'not_ok_by_point'):
            picture['tiles'][name] = picture['tiles'][name][:6]
        self.feed.show(picture)
        self.rotate_fast()
        self.open('?tv')
        self.browser.run("""
            window.changes = 0;
            new MutationObserver(() => window.changes++).observe(
                document.querySelector('.rank'), {subtree: true, childList: true, attributes: true});
            window.ticks = 0;
            setInterval(() => window.ticks++, 10000);""")
        self.browser.wait('return window.ticks >= 4', 'some rotations have passed')
        self.assertEqual(self.browser.run('return window.changes'), 0)

    def test_space_pauses_the_rotation(self):
        self.rotate_fast()
        self.open('?tv')
        ActionChains(self.browser.driver).send_keys(Keys.SPACE).perform()
        self.browser.wait("return document.querySelector('.rank .range').textContent.includes('paused')", 'it says so')
        first = self.visible('units-per-zone')
        self.browser.run("window.ticks = 0; setInterval(() => window.ticks++, 10000)")
        self.browser.wait('return window.ticks >= 4', 'some rotations would have passed')
        self.assertEqual(self.visible('units-per-zone'), first)
        ActionChains(self.browser.driver).send_keys(Keys.SPACE).perform()
        self.browser.wait(lambda: self.visible('units-per-zone') != first, 'it rotates again')


class HostileTests(PageCase):
    EVIL = '<img src=x onerror="window.injected=1"><script>window.injected=1</script>'

    def setUp(self):
        super().setUp()
        self.open()
        self.elements = self.count()

    def count(self):
        return self.browser.run("return document.querySelectorAll('img, script, iframe, object, link, style').length")

    def assert_unharmed(self):
        self.assertIsNone(self.browser.run('return window.injected || null'))
        self.assertEqual(self.count(), self.elements)
        self.assertEqual(self.browser.errors(), [])
        self.show(pictures.reference(tiles__total=116))
        expected = pictures.reference(tiles__total=116)['tiles']
        self.assert_tiles(expected)
        self.assert_layout()

    def test_markup_everywhere(self):
        def poison(value):
            if isinstance(value, dict):
                return {name: poison(each) for name, each in value.items()}
            if isinstance(value, list):
                return [poison(each) for each in value] + [self.EVIL]
            return self.EVIL

        self.feed.show(dict(poison(pictures.reference()), version='0.2.0'))
        self.browser.wait(lambda: '<img' in self.browser.figure('waits'), 'the markup is shown as text')
        self.assertEqual(self.browser.value('total'), 'unknown')
        self.browser.wait("return document.documentElement.scrollWidth <= innerWidth", 'it does not scroll sideways')
        self.assert_unharmed()

    def test_wrong_types(self):
        values = (None, True, 'x', -1, 1e308, 1.5, [], {}, [[]], [None], {'hour': 8}, [{'hour': 8}],
                  [{'hour': -1, 'units': 1}, {'hour': 99, 'units': 1}, {'hour': 8.5, 'units': 1}, {'zone': 1e300}])
        marker = 1000
        for value in values:
            for path in ('now', 'day', 'days', 'tiles', 'data', 'replayed'):
                marker += 1
                picture = pictures.reference(data__lag=marker)
                picture[path] = value
                self.feed.show(picture)
                if path != 'data':
                    self.wait_value('lag', marker)
            marker += 1
            picture = pictures.reference(data__lag=marker)
            picture['tiles'] = {name: value for name in picture['tiles']}
            self.feed.show(picture)
            self.wait_value('lag', marker)
        self.assert_unharmed()

    def test_impossible_keys(self):
        picture = pictures.reference(tiles__total=5)
        picture['tiles']['units_per_zone'] = pictures.rows('zone', [(8.5, 1), (1e300, 1), (-1, 1), ('4', 1), (3, 2)])
        picture['tiles']['units_per_hour'] = pictures.rows('hour', [(99, 1), (8.5, 1), (-1, 1), (24, 1), (8, 4)])
        self.show(picture)
        self.assertEqual(self.browser.bars('units-per-zone'), {3: 2})
        self.assertEqual(self.browser.bars('units-per-hour'), {8: 4})
        hours = self.browser.run("return Array.from(document.querySelectorAll('svg.axis text'), n => n.textContent)")
        self.assertEqual([hour for hour in hours if hour], ['%02d' % hour for hour in range(8, 17)])
        self.assert_unharmed()

    def test_huge_numbers_and_lists(self):
        picture = pictures.reference(tiles__total=1e300, tiles__nok=2 ** 53, data__lag=1e20)
        picture['tiles']['units_per_zone'] = [{'zone': zone, 'units': zone * 1e10} for zone in range(20000)]
        picture['tiles']['units_per_hour'] = [{'hour': hour, 'units': 1e300} for hour in range(24)]
        picture['days'] = ['2020-01-01'] * 5000
        picture['data']['waits'] = ['x' * 100000] * 100
        picture['__proto__'] = {'polluted': 1}
        self.feed.show_line(json.dumps(picture))
        self.browser.wait(lambda: self.browser.figure('total') == '>1G', 'the picture is shown')
        self.assert_layout()
        self.assertIsNone(self.browser.run('return ({}).polluted || null'))
        self.assert_unharmed()

    def test_unreadable_lines(self):
        for line in ('{', 'null', '7', '"x"', '[]', '{"now":' + '[' * 5000):
            self.feed.show_line(line)
            self.browser.wait(STATE + " === 'unreadable'", 'the page says that it can not read the figures')
            self.assertEqual(self.browser.figure('nok'), '88')
            self.show(pictures.reference())
            self.browser.wait_live()
        self.assert_unharmed()


if __name__ == '__main__':
    unittest.main()
