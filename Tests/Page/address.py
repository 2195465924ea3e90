"""Compares the page of a running server with expected figures. By page-tests.sh --at."""
import json
import os
import unittest

from case import FAULTS, compare_tiles, shared_browser
from browser import SIZES

ADDRESS = os.environ['TFI_PAGE_ADDRESS']


class AddressTests(unittest.TestCase):
    def setUp(self):
        self.browser = shared_browser()
        self.browser.setting()
        self.addCleanup(self.browser.open, 'about:blank')
        self.browser.errors()
        self.browser.open(ADDRESS)
        self.browser.wait_live(30)

    def test_figures(self):
        with open(os.environ['TFI_PAGE_EXPECTED'], encoding='utf-8') as file:
            expected = json.load(file)

        def agrees():
            try:
                compare_tiles(self, self.browser, expected)
                return True
            except AssertionError:
                return False

        try:
            self.browser.wait(agrees, 'the figures agree', 30)
        except Exception:
            # Says which figure differs.
            compare_tiles(self, self.browser, expected)
            raise
        self.assertEqual(self.browser.errors(), [])

    def test_version_is_filled_in(self):
        version = self.browser.run("return document.querySelector('meta[name=version]').content")
        self.assertRegex(version, r'^[^{}]+$')

    def test_layout(self):
        for size in SIZES:
            with self.subTest(size=size):
                self.browser.setting(size)
                self.browser.open(ADDRESS)
                self.browser.wait_live()
                self.assertEqual(self.browser.run(FAULTS, False), [])


if __name__ == '__main__':
    unittest.main()
