"""The three files: they use only features of browsers of 2019, and nothing that the server's content policy refuses."""
import re
import unittest

import esprima

from feed import PAGE


class SourceTests(unittest.TestCase):
    def setUp(self):
        self.html, self.css, self.js = ((PAGE / name).read_text() for name in ('page.html', 'page.css', 'page.js'))

    def test_script_is_of_2018(self):
        # The parser knows nothing later than that, and refuses it.
        esprima.parseScript(self.js)
        for late in ('a?.b', 'a ?? b', 'class A { #b = 1 }'):
            with self.assertRaises(esprima.Error):
                esprima.parseScript(late)
        for name in ('replaceAll', 'fromEntries', 'flatMap', '.flat(', '.at(', 'structuredClone', 'ResizeObserver',
                     'matchAll', 'allSettled', 'globalThis', 'AbortSignal', 'innerHTML', 'insertAdjacentHTML',
                     'document.write', 'eval('):
            self.assertNotIn(name, self.js)

    def test_styles_are_of_2019(self):
        for late in (r':has\(', r'(?<!min-)aspect-ratio', r'\bclamp\(', r'[^n]min\(', r'\bmax\(', r'\binset\b',
                     r':is\(', r':where\(', '@layer', '@container', r'\b\d+dvh', 'color-mix', 'accent-color'):
            self.assertIsNone(re.search(late, self.css), late)
        for rule in re.findall(r'{([^{}]*)}', self.css):
            if re.search(r'display:\s*(inline-)?flex', rule):
                self.assertNotIn('gap', rule)

    def test_nothing_inline_and_nothing_from_elsewhere(self):
        self.assertIsNone(re.search(r'\sstyle=|\son\w+=|<style|<script(?![^>]*src=)', self.html))
        for text in (self.html, self.css, self.js):
            self.assertEqual(set(re.findall(r'https?://[^\s\'"]+', text)) - {'http://www.w3.org/2000/svg'}, set())
            self.assertNotIn('url(', text)
            self.assertLessEqual(max(map(len, text.splitlines())), 120)

    def test_version_has_its_place_once(self):
        self.assertEqual(self.html.count('{{version}}'), 1)
        self.assertIn('<meta name="version" content="{{version}}">', self.html)

    def test_both_languages_have_the_same_texts(self):
        tables = re.search(r'const TEXTS = {(.*?)\n    };', self.js, re.S).group(1)
        english, spanish = tables.split('es: {')
        names = [set(re.findall(r"(\w+): '", table)) for table in (english, spanish)]
        self.assertEqual(*names)
        used = set(re.findall(r"text\('(\w+)'", self.js)) | set(re.findall(r'data-(?:text|label)="(\w+)"', self.html))
        self.assertEqual(used - names[0], set())


if __name__ == '__main__':
    unittest.main()
