"""Chromium without a window, driven through its DevTools protocol."""
import base64
import json
import pathlib
import subprocess
import tempfile
import time
import urllib.request

import websocket


class Browser:
    """One Chromium; `with Browser() as browser`."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix='chromium-', ignore_cleanup_errors=True)
        self.process = subprocess.Popen(
            ['chromium', '--headless=new', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0',
             '--remote-allow-origins=*', '--no-first-run', '--hide-scrollbars', '--force-device-scale-factor=1',
             '--disable-background-networking', '--disable-dev-shm-usage', '--no-proxy-server',
             f'--user-data-dir={self.folder.name}', 'about:blank'],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.port = self._port()

    def _port(self):
        file = pathlib.Path(self.folder.name) / 'DevToolsActivePort'
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if file.exists() and '\n' in file.read_text():
                return int(file.read_text().split('\n')[0])
            assert self.process.poll() is None, 'Chromium ended at once'
            time.sleep(0.05)
        raise TimeoutError('Chromium does not start')

    def tab(self, **kwargs):
        request = urllib.request.Request(f'http://127.0.0.1:{self.port}/json/new?about:blank', method='PUT')
        return Tab(json.load(urllib.request.urlopen(request, timeout=20))['webSocketDebuggerUrl'], **kwargs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.folder.cleanup()


class Tab:
    """A page with its own size and colour scheme; records every request and every complaint of the console."""

    def __init__(self, url, width=1440, height=900, dark=False):
        self.socket = websocket.create_connection(url, timeout=30, suppress_origin=True)
        self.number = 0
        self.requests = []    # (method, url)
        self.complaints = []  # console errors, exceptions, violations of the policy
        for domain in ('Page', 'Runtime', 'Network', 'Log'):
            self.call(f'{domain}.enable')
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)
        self.call('Emulation.setEmulatedMedia',
                  features=[{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'},
                            {'name': 'prefers-reduced-motion', 'value': 'reduce'}])

    def call(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({'id': self.number, 'method': method, 'params': parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get('id') == self.number:
                assert 'error' not in message, (method, message['error'])
                return message['result']
            self._note(message)

    def _note(self, message):
        what, about = message.get('method'), message.get('params', {})
        if what == 'Network.requestWillBeSent' and not about['request']['url'].startswith('data:'):
            self.requests.append((about['request']['method'], about['request']['url']))
        if what == 'Runtime.exceptionThrown':
            self.complaints.append(about['exceptionDetails'].get('exception', {}).get('description', 'exception'))
        if what == 'Runtime.consoleAPICalled' and about['type'] == 'error':
            self.complaints.append(str(about['args']))
        if what == 'Log.entryAdded' and about['entry']['level'] == 'error':
            self.complaints.append(about['entry']['text'])

    def run(self, expression):
        """The value of a JavaScript expression, promises awaited."""
        answer = self.call('Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True)
        assert 'exceptionDetails' not in answer, answer['exceptionDetails']
        return answer['result'].get('value')

    def wait_for(self, expression, seconds=20):
        deadline = time.monotonic() + seconds
        while not self.run(f'Boolean({expression})'):
            assert time.monotonic() < deadline, f'never true: {expression}; {self.complaints}'
            time.sleep(0.05)

    def open(self, url, ready="performance.getEntriesByName('equipoise-shown').length"):
        self.call('Page.navigate', url=url)
        self.wait_for(f"document.readyState === 'complete' && ({ready})")

    def press(self, key):
        for kind in ('keyDown', 'keyUp'):
            self.call('Input.dispatchKeyEvent', type=kind, key=key, code=key,
                      windowsVirtualKeyCode={'ArrowLeft': 37, 'ArrowRight': 39, 'Home': 36, 'End': 35, 'Escape': 27,
                                             'Tab': 9}[key])

    def screenshot(self, path):
        size = self.run('[document.documentElement.scrollWidth, document.documentElement.scrollHeight]')
        shot = self.call('Page.captureScreenshot', captureBeyondViewport=True,
                         clip={'x': 0, 'y': 0, 'width': size[0], 'height': size[1], 'scale': 1})
        pathlib.Path(path).write_bytes(base64.b64decode(shot['data']))
