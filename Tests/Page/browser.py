"""A headless Chromium for the tests, whose screen, theme and languages a test sets."""
import os
import shutil

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

# The desk's and the wall screen's sizes, and a phone's.
SIZES = ((1920, 1080), (1366, 768), (390, 844))


class Browser:
    def __init__(self):
        options = Options()
        options.binary_location = os.environ.get('TFI_CHROMIUM') or shutil.which('chromium')
        for argument in ('--headless=new', '--disable-dev-shm-usage', '--disable-gpu', '--hide-scrollbars',
                         '--no-first-run', '--disable-background-networking', '--disable-component-update',
                         '--force-color-profile=srgb', '--window-size=1920,1080'):
            options.add_argument(argument)
        if os.geteuid() == 0:
            options.add_argument('--no-sandbox')
        options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
        service = Service(os.environ.get('TFI_CHROMEDRIVER') or shutil.which('chromedriver'))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.agent = self.run('return navigator.userAgent')
        self.command('Emulation.setTimezoneOverride', timezoneId='Europe/Berlin')

    def command(self, name, **parameters):
        return self.driver.execute_cdp_cmd(name, parameters)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def setting(self, size=(1920, 1080), theme='light', still=False, languages='en-GB'):
        self.command('Emulation.setDeviceMetricsOverride', width=size[0], height=size[1], deviceScaleFactor=1,
                     mobile=size[0] < 600)
        self.command('Emulation.setEmulatedMedia', features=[
            {'name': 'prefers-color-scheme', 'value': theme},
            {'name': 'prefers-reduced-motion', 'value': 'reduce' if still else 'no-preference'}])
        self.command('Emulation.setUserAgentOverride', userAgent=self.agent, acceptLanguage=languages)

    def open(self, url):
        self.driver.get(url)

    def wait(self, condition, what, seconds=10):
        """Waits until `condition` (a script's text, or a function) holds."""
        test = (lambda _: self.run(condition)) if isinstance(condition, str) else (lambda _: condition())
        return WebDriverWait(self.driver, seconds, poll_frequency=0.05).until(test, what)

    def wait_live(self, seconds=10):
        self.wait("const s = document.querySelector('.state'); return s && s.dataset.state === 'live'",
                  'the page shows a picture', seconds)

    def figure(self, name):
        return self.driver.find_element(By.CSS_SELECTOR, '[data-figure="%s"]' % name).get_attribute('textContent')

    def value(self, name):
        return self.driver.find_element(By.CSS_SELECTOR, '[data-figure="%s"]' % name).get_attribute('data-value')

    def bars(self, name):
        """{key: value} of a chart or list, in the page's order, with what the page shows checked to be the value."""
        return dict(self.run("""
            return Array.from(document.querySelectorAll('[data-bar="' + arguments[0] + '"]'), node => {
                const shown = (node.querySelector('.value') || node).textContent;
                const value = Number(node.dataset.value);
                if (value < 100000 && shown !== String(value)) throw new Error(shown + ' is shown for ' + value);
                const key = node.querySelector('.key');
                if (key && key.textContent !== node.dataset.key) throw new Error('key ' + key.textContent);
                return [Number(node.dataset.key), value];
            });""", name))

    def errors(self):
        return [entry['message'] for entry in self.driver.get_log('browser')
                if entry['level'] == 'SEVERE' and 'events' not in entry['message']]

    def screenshot(self, path, whole=False):
        parameters = {'format': 'png', 'captureBeyondViewport': whole}
        if whole:
            size = self.run('return [document.documentElement.clientWidth, document.documentElement.scrollHeight]')
            parameters['clip'] = {'x': 0, 'y': 0, 'width': size[0], 'height': size[1], 'scale': 1}
        import base64
        with open(path, 'wb') as file:
            file.write(base64.b64decode(self.command('Page.captureScreenshot', **parameters)['data']))

    def quit(self):
        self.driver.quit()
