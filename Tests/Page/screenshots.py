"""Takes pictures of the page, for people to look at: python3 screenshots.py FOLDER"""
import pathlib
import sys

import pictures
from browser import SIZES, Browser
from feed import Feed

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
feed = Feed(pictures.until(11, '2020-05-27T11:48:12'))
browser = Browser()


def take(name, query='', ready=None, whole=False):
    browser.open(feed.url + query)
    browser.wait_live()
    if ready:
        ready()
    browser.screenshot(folder / (name + '.png'), whole)
    print(folder / (name + '.png'))


try:
    for theme in ('light', 'dark'):
        for size in SIZES:
            browser.setting(size, theme)
            name = '%dx%d-%s' % (*size, theme)
            take(name, whole=True)
            if size[0] > 600:
                take('tv-' + name, '?tv')
    browser.setting(languages='es-MX')
    take('spanish', '?tv')
    feed.show(pictures.reference())
    browser.setting()
    take('tv-reference', '?tv')
    feed.show(pictures.large())
    take('tv-large', '?tv')
    for size in SIZES:
        browser.setting(size)
        take('large-%dx%d' % size, whole=True)
    feed.show(pictures.all_hours())
    for size in SIZES:
        browser.setting(size)
        take('all-hours-%dx%d' % size, whole=True)
        take('tv-all-hours-%dx%d' % size, '?tv')
    browser.setting()
    feed.show(pictures.unknown())
    take('unknown')
    take('tv-unknown', '?tv')
    feed.show(pictures.empty())
    take('empty', whole=True)
    feed.show(pictures.reference())

    def lose():
        feed.cut(refusing=True)
        browser.wait("return document.querySelector('.state').dataset.state === 'lost'", 'the connection is lost')

    take('tv-lost', '?tv', lose)
finally:
    browser.quit()
    feed.stop()
